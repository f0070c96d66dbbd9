"""What people call from Python: functions and classes that take a `Client`."""
