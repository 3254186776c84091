//! PostgreSQL's own bench, from its package: another client than ours, on the same statements.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::endpoints::percent_decoded;
use crate::{Error, Options, folders, packages};

/// The program, ready to be run as often as asked for.
#[derive(Debug, Clone)]
pub struct Pgbench {
    program: PathBuf,
}

impl Pgbench {
    /// The program of the pinned package, fetched first if the cache has not got it. Blocks the
    /// thread.
    ///
    /// # Errors
    /// When it is not to be had for this machine.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let programs = packages::programs(&options.cache, &options.progress)?;
        Ok(Self {
            program: programs.postgres.join("pgbench"),
        })
    }

    /// Runs a script so many times on one connection of its own, each statement prepared once,
    /// and answers what each time took, in microseconds. `variables` stand for `:name` in the
    /// script; `settings` are of the session; files go into `folder`. Blocks the thread.
    ///
    /// # Errors
    /// When the program does not run, or the server refuses a statement.
    pub fn run(
        &self,
        database: &PgConnectOptions,
        settings: &str,
        folder: &Path,
        script: &Script,
        times: usize,
    ) -> Result<Vec<f64>, Error> {
        let file = folder.join("script.sql");
        folders::write(&file, &script.text)?;
        let log = folder.join("log");
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--client=1", "--jobs=1", "--protocol=prepared"])
            .args(["--log", &format!("--transactions={times}")])
            .arg(format!("--log-prefix={}", log.display()))
            .arg(format!("--file={}", file.display()));
        for (name, value) in &script.variables {
            command.arg(format!("--define={name}={value}"));
        }
        let url = database.to_url_lossy();
        let password = percent_decoded(url.password().unwrap_or_default());
        command
            .env("PGHOST", database.get_host())
            .env("PGPORT", database.get_port().to_string())
            .env("PGUSER", database.get_username())
            .env("PGDATABASE", database.get_database().unwrap_or_default())
            .env("PGPASSWORD", password.unwrap_or_default())
            .env("PGOPTIONS", settings);
        let output = command
            .output()
            .map_err(Error::io("running", &self.program))?;
        let words = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() || words.contains("ERROR") {
            return Err(Error::refused("postgres", "run a script of pgbench's")(words));
        }
        let mut times = Vec::new();
        for name in folders::names(folder)? {
            let path = folder.join(&name);
            if name.to_string_lossy().starts_with("log.") {
                let text = std::fs::read_to_string(&path).map_err(Error::io("reading", &path))?;
                times.extend(text.lines().filter_map(time));
                folders::remove(&path)?;
            }
        }
        Ok(times)
    }
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Statements, each with a semicolon at its end.
    pub text: String,
    /// Names and values of its variables.
    pub variables: Vec<(String, String)>,
}

/// What one run took: the third word of a line of the log.
fn time(line: &str) -> Option<f64> {
    line.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_from_a_line_of_the_log() {
        assert_eq!(time("0 199 2241 0 1175850568 995598"), Some(2241.0));
        assert_eq!(time("0 199 failed 0 1175850568 995598"), None);
        assert_eq!(time(""), None);
    }
}
