"""Model directories read and written, compiled models, golden predictions, the predictor.

Promises: a compiled model answers as the original did on its golden rows, or it is refused.
Never: unpickles inside the server.
"""
