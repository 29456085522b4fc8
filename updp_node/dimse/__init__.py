"""The DICOM network, receiving side: who may send, and how bytes become durable."""
