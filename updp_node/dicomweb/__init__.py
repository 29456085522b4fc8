"""DICOMweb over the released zone: QIDO-RS and WADO-RS (PS3.18). Sees nothing else."""
