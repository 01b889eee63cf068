"""Network files of other tools: told apart by content, read as data in a process of their own, never run.

Nothing here imports torch: the process that parses a stranger's file stays small and starts fast.
"""
