//! An adapter from outside: functions as Unix-socket daemons.
