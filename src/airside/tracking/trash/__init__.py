"""The trash: what is in the stage `deleted`, and its removal for good.

A removal takes the head of a run, logged model or experiment away in one transaction and leaves a note of what is
still there: rows, and files. The rows are swept in small steps, then the files, then the note: whatever breaks in
between, the note is found again, and nothing of the removed thing can be restored or seen. What a registered version
needs is never removed.
"""
