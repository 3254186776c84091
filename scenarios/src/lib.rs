//! Each item put on trial: requests, ladders, contracts, instruments, the service and its load.
