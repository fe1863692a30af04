//! What a worker takes away from itself, before it looks at a file and for each file.

/// Room for the program itself, its adapters and their patterns, on top of what a file may take.
const OWN_BYTES: u64 = 96 << 20;

/// What one file may cost, within what the process may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Memory in bytes.
    pub memory: u64,
    /// Seconds of the processor.
    pub seconds: u64,
}

#[cfg(unix)]
mod system {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use rustix::time::{ClockId, clock_gettime};

    use super::{Budget, OWN_BYTES};

    fn both(resource: Resource, limit: u64) -> bool {
        let kept = getrlimit(resource).maximum.map_or(limit, |most| most.min(limit));
        setrlimit(resource, Rlimit { current: Some(kept), maximum: Some(kept) }).is_ok()
    }

    /// Limits that hold until the process ends. True where all that matter are in force.
    ///
    /// Standard input, output and error are open; with room for no fourth, nothing can be opened: no file,
    /// no socket.
    pub fn lower(budget: Budget) -> bool {
        let mut held = both(Resource::Core, 0);
        held &= both(Resource::Fsize, 0);
        held &= both(Resource::Nofile, 3);
        held &= both(Resource::Data, budget.memory.saturating_add(OWN_BYTES));
        // For a user with many processes the system may refuse; then this one limit is missing.
        let _ = both(Resource::Nproc, 0);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            held &= rustix::thread::set_no_new_privs(true).is_ok();
        }
        held
    }

    /// The softer limits of one file; they are raised again for the next.
    pub fn for_file(own: u64, budget: Budget) {
        let soft = |resource, limit: u64| {
            let most = getrlimit(resource).maximum;
            let limit = most.map_or(limit, |most| most.min(limit));
            // Where the system refuses, the limits of the process and the pool's clock stay.
            let _ = setrlimit(resource, Rlimit { current: Some(limit), maximum: most });
        };
        soft(Resource::Data, own.saturating_add(budget.memory));
        let used = u64::try_from(clock_gettime(ClockId::ProcessCPUTime).tv_sec).unwrap_or(0);
        // Whole seconds, so that a file is never given less than it may take.
        soft(Resource::Cpu, used.saturating_add(budget.seconds).saturating_add(1));
    }
}

#[cfg(unix)]
pub(super) use system::{for_file, lower};

#[cfg(not(unix))]
pub(super) fn lower(_: Budget) -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn for_file(_: u64, _: Budget) {}

/// What the process itself takes before any file, in bytes: asked once, while files can still be opened.
pub(super) fn own_bytes() -> u64 {
    // Linux tells; elsewhere a share that is ample.
    let measured = std::fs::read_to_string("/proc/self/status").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("VmData:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    // What the adapters and their patterns will take comes on top.
    measured.map_or(OWN_BYTES, |kib| kib.saturating_mul(1024).saturating_add(OWN_BYTES / 2))
}
