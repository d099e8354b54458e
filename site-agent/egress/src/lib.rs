//! The only owner of a connection to the coordinator.
