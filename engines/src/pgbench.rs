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
    /// and answers what each time took, in microseconds. Blocks the thread.
    ///
    /// # Errors
    /// When the program does not run, or the server refuses a statement.
    pub fn run(
        &self,
        database: &PgConnectOptions,
        script: &Script,
        times: usize,
    ) -> Result<Vec<f64>, Error> {
        let folder = std::env::temp_dir().join(format!("verdict-pgbench-{}", std::process::id()));
        folders::private(&folder)?;
        let ran = self.run_in(&folder, database, script, times);
        folders::remove(&folder)?;
        ran
    }

    fn run_in(
        &self,
        folder: &Path,
        database: &PgConnectOptions,
        script: &Script,
        times: usize,
    ) -> Result<Vec<f64>, Error> {
        let (file, log) = (folder.join("script.sql"), folder.join(LOG));
        folders::write(&file, &script.text)?;
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--client=1", "--jobs=1"])
            .args(["--protocol=prepared", "--log"])
            .arg(format!("--transactions={times}"))
            .arg(format!("--log-prefix={}", log.display()))
            .arg(format!("--file={}", file.display()));
        command.args(script.variables.iter().map(definition));
        let url = database.to_url_lossy();
        let password = percent_decoded(url.password().unwrap_or_default());
        let output = command
            .env("PGHOST", database.get_host())
            .env("PGPORT", database.get_port().to_string())
            .env("PGUSER", database.get_username())
            .env("PGDATABASE", database.get_database().unwrap_or_default())
            .env("PGPASSWORD", password.unwrap_or_default())
            .output()
            .map_err(Error::io("running", &self.program))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            return Err(Error::refused("postgres", "run a script of pgbench's")(
                words,
            ));
        }
        let mut took = Vec::new();
        for name in folders::names(folder)? {
            if name.to_string_lossy().starts_with(LOG) {
                let path = folder.join(name);
                let text = std::fs::read_to_string(&path).map_err(Error::io("reading", path))?;
                took.extend(text.lines().filter_map(time));
            }
        }
        Ok(took)
    }
}

/// What the names of its logs begin with.
const LOG: &str = "log";

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Statements, each with a semicolon at its end.
    pub text: String,
    /// Names and values of its variables.
    pub variables: Vec<(String, String)>,
}

impl Script {
    /// Whether the program can be given its variables, each of which is an argument of its own.
    pub fn can_be_given(&self) -> bool {
        let mut variables = self.variables.iter();
        variables.all(|variable| definition(variable).len() < LONGEST_ARGUMENT)
    }
}

/// A longer argument is refused by Linux (`MAX_ARG_STRLEN`), in bytes with the one that ends it.
const LONGEST_ARGUMENT: usize = 32 * 4096;

fn definition((name, value): &(String, String)) -> String {
    format!("--define={name}={value}")
}

/// What one run took: the third word of a line of the log.
fn time(line: &str) -> Option<f64> {
    line.split_whitespace().nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_as_long_as_an_argument_may_be() {
        let given = |length: usize| {
            let value = "x".repeat(length - "--define=a=".len());
            let variables = vec![("a".to_owned(), value)];
            let script = Script {
                variables,
                ..Script::default()
            };
            let ran = Command::new("true")
                .args(script.variables.iter().map(definition))
                .status();
            (script.can_be_given(), ran.is_ok())
        };
        assert_eq!(given(LONGEST_ARGUMENT - 1), (true, true));
        assert_eq!(given(LONGEST_ARGUMENT), (false, false));
    }

    #[test]
    fn a_time_is_read_from_a_line_of_the_log() {
        assert_eq!(time("0 199 2241 0 1175850568 995598"), Some(2241.0));
        assert_eq!(time("0 199 failed 0 1175850568 995598"), None);
        assert_eq!(time(""), None);
    }
}
