"""What leaves, when and how fast: the worker process (wake, plan, send, sweep)."""
