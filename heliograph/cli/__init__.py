"""The command face: every command, its options, what it prints and how it ends."""
