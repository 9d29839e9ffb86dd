"""A message centre (SMSC) that texts nobody: the other side of SMPP, scripted, with a record. See ``docs/smsc.md``."""
