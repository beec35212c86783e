//! Open files: a process may have fewer than its system would let it have, and a server has one for
//! each connection.
use rustix::process::{Resource, getrlimit, setrlimit};

/// Takes all open files that the system lets this process have. Systems begin with as few as 1,024,
/// for programs that cannot do with more; where it is not granted, it stays as it was.
pub(crate) fn take_all() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
