//! How engines are asked for.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;
use crate::mode::Mode;

/// How engines are asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where they come from.
    pub choice: Choice,
    /// Folder for packages, sealed worlds and runs; [`cache_dir`] gives the user's.
    pub cache: PathBuf,
    /// The `verdict` program, which hosts the processes that own the engines:
    /// `std::env::current_exe()` in the command, `env!("CARGO_BIN_EXE_verdict")` elsewhere.
    pub host: PathBuf,
    /// Where progress is drawn.
    pub progress: indicatif::MultiProgress,
}

/// Where engines come from, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Choice {
    /// External when all three URLs are set, else containers when Docker answers and has or
    /// can get the images, else embedded.
    #[default]
    Auto,
    /// Fetched packages, run as processes of our own.
    Embedded,
    /// Docker containers.
    Containers,
    /// The servers that DATABASE_URL, CLICKHOUSE_URL and REDIS_URL name.
    External,
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "auto" => Ok(Self::Auto),
            "embedded" => Ok(Self::Embedded),
            "containers" => Ok(Self::Containers),
            "external" => Ok(Self::External),
            _ => Err(Error::UnknownChoice {
                word: word.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Embedded => "embedded",
            Self::Containers => "containers",
            Self::External => "external",
        })
    }
}

/// The user's cache folder: VERDICT_CACHE, else `verdict` in XDG_CACHE_HOME, else
/// `~/.cache/verdict`. It need not exist yet.
///
/// # Errors
/// When none of the variables nor HOME is set, or an engine could not be given its name.
pub fn cache_dir() -> Result<PathBuf, Error> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = set("VERDICT_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|base| base.join("verdict")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/verdict")))
        .ok_or(Error::MissingVariable {
            mode: Mode::Embedded,
            variable: "VERDICT_CACHE (or HOME)",
        })?;
    let folder = std::path::absolute(&folder).map_err(Error::io("resolving", folder))?;
    // It goes into the engines' files of settings, and PostgreSQL's initdb puts it between double
    // quotes for a shell.
    let plain = |path: &str| {
        !path
            .chars()
            .any(|c| c.is_control() || r#"\"$`"#.contains(c))
    };
    if !folder.to_str().is_some_and(plain) {
        return Err(Error::OddPath { path: folder });
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back_as_it_is_written() {
        for choice in [
            Choice::Auto,
            Choice::Embedded,
            Choice::Containers,
            Choice::External,
        ] {
            assert_eq!(choice.to_string().parse::<Choice>().unwrap(), choice);
        }
        assert!(
            "docker"
                .parse::<Choice>()
                .unwrap_err()
                .to_string()
                .contains("containers")
        );
    }
}
