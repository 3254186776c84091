//! How a command ends: 0, 1 and 2 answer "are the promises kept", the others say why there is
//! no answer. Each error type knows its own.

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Every promise judged is kept.
    Met = 0,
    /// An optimized variant answers differently, or misses a target.
    Missed = 1,
    /// The evidence does not decide.
    CannotJudge = 2,
    /// The command line is wrong (sysexits' EX_USAGE).
    Usage = 64,
    /// A file that was given, or that is kept, is not what it should be (EX_DATAERR).
    Data = 65,
    /// A file that was given is not there (EX_NOINPUT).
    NoInput = 66,
    /// An engine or a service cannot be had (EX_UNAVAILABLE).
    Unavailable = 69,
    /// Verdict itself is at fault (EX_SOFTWARE).
    Software = 70,
    /// A file cannot be written, or the disk is full (EX_IOERR).
    Io = 74,
    /// Not permitted (EX_NOPERM).
    Permission = 77,
    /// Ended by Ctrl-C, as shells say it.
    Interrupted = 130,
}

impl Exit {
    /// The code that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// How a command ends that could not use a file.
    pub fn of_io(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NoInput,
            std::io::ErrorKind::PermissionDenied => Self::Permission,
            _ => Self::Io,
        }
    }
}
