"""Privacy and utility figures of a release, with their bounds."""
