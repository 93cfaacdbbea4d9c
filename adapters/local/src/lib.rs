//! The local:// target: functions as processes on this machine.
