//! Keeps tokens and passwords in this process's memory: no core dump is written, and where the system can do it, no other process
//! of the same person looks at it.

/// Guards this process from now on. What the system cannot do is left as it is.
pub fn memory() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let none = Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        let _ = setrlimit(Resource::Core, none);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

    #[test]
    fn memory_stays_where_it_is() {
        super::memory();
        let dumpable = dumpable_behavior().expect("every Linux tells");
        assert_eq!(dumpable, DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
