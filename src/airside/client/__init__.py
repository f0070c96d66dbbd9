"""People's edge: the SDK, its transports, the command line.

Never: knows more of the server than its operations; the same code talks to a platform opened in this process.
"""
