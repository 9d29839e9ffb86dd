"""What someone can make happen: one function per verb, one transaction per function, used by every face."""
