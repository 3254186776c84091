//! What a run has come to so far, kept item by item, so that one that is broken off can go on.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use verdict_audit::ItemId;
use verdict_audit::evidence::{ItemEvidence, Results, Run};
use verdict_reports::json;
use verdict_scenarios::session::Depth;
use verdict_seed::WorldSpec;

use crate::error::{Error, Result};
use crate::on_trial::OnTrial;

/// What was asked for, as far as results do not say it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Asked {
    items: Vec<ItemId>,
    quick: bool,
    timed: bool,
    /// The world, by its key.
    world: String,
    /// The checksum of the program's file: other code measures other things.
    program: u32,
}

/// Where a run's items are kept as soon as each is whole.
#[derive(Debug, Clone)]
pub struct Unfinished {
    folder: PathBuf,
    asked: Asked,
    earlier: Option<Results>,
}

impl Unfinished {
    /// Of a run that begins anew. What an earlier one left stands until the first item is kept.
    ///
    /// # Errors
    /// When the program's own file cannot be read.
    pub fn begin(
        output: &Path,
        items: &[OnTrial],
        depth: Depth,
        timed: bool,
        world: &WorldSpec,
    ) -> Result<Self> {
        Ok(Self {
            folder: output.join("unfinished"),
            asked: Asked {
                items: items.iter().map(|one| one.audit.id.clone()).collect(),
                quick: depth == Depth::Quick,
                timed,
                world: world.key(),
                program: crc32fast::hash(&fs::read(std::env::current_exe()?)?),
            },
            earlier: None,
        })
    }

    /// Of a run that goes on where an earlier one was broken off.
    ///
    /// # Errors
    /// When none was, when what it left cannot be read, and when something else was asked for.
    pub fn resume(mut self) -> Result<Self> {
        let Some(asked) = self.left()? else {
            return Err(Error::NothingToResume(self.folder));
        };
        let earlier = json::read(&self.results())?;
        let reason = if asked.program != self.asked.program {
            "another build of verdict began it".to_owned()
        } else if asked.items != self.asked.items {
            let named: Vec<_> = asked.items.iter().map(ItemId::as_str).collect();
            format!("it is of the items {}", named.join(" "))
        } else if asked.quick != self.asked.quick {
            let quick = if asked.quick { "with" } else { "without" };
            format!("it was asked for {quick} --quick")
        } else if asked.timed != self.asked.timed {
            let untimed = if asked.timed { "without" } else { "with" };
            format!("it was asked for {untimed} --untimed")
        } else if asked.world != self.asked.world {
            let Run { scale, seed, .. } = &earlier.run;
            format!("it is on a {scale} world of seed {seed}")
        } else {
            self.earlier = Some(earlier);
            return Ok(self);
        };
        Err(Error::CannotResume(reason))
    }

    /// What there is to tell of an earlier run that was broken off, before it is written over.
    pub fn note(&self) -> Option<String> {
        let asked = self.left().ok()??;
        let earlier = json::read(&self.results()).ok()?;
        let same = self.earlier.is_some();
        let (done, of) = (earlier.items.len(), asked.items.len());
        let began = earlier.run.time.format("%Y-%m-%d %H:%M");
        Some(match same {
            true => format!("{done} of {of} items are there from the run of {began} UTC"),
            false => format!(
                "the run of {began} UTC was broken off with {done} of {of} items: --resume goes on \
                 with it, until the first item of this one is whole"
            ),
        })
    }

    /// The items that an earlier start has brought to an end.
    pub fn items(&self) -> &[ItemEvidence] {
        self.earlier.as_ref().map_or(&[], |earlier| &earlier.items)
    }

    /// The run that goes on, as its first start described it.
    ///
    /// # Errors
    /// When this start has another machine or engine.
    pub fn run(&self, now: &Run) -> Result<Option<&Run>> {
        let Some(Results { run, .. }) = &self.earlier else {
            return Ok(None);
        };
        let reason = if run.host != now.host {
            format!("it ran on {}", run.host.name)
        } else if run.engines != now.engines {
            let other = run.engines.iter().find(|one| !now.engines.contains(one));
            let other = other.map_or_else(String::new, |one| {
                format!(", {} {} {}", one.mode, one.name, one.version)
            });
            format!("it had other engines or settings{other}")
        } else {
            return Ok(Some(run));
        };
        Err(Error::CannotResume(reason))
    }

    /// Keeps what there is so far.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, run: &Run, items: &[ItemEvidence]) -> Result<()> {
        let mut results = Results {
            schema: verdict_audit::evidence::SCHEMA,
            run: run.clone(),
            items: items.to_vec(),
            flows: Vec::new(),
            flow_ratios: Vec::new(),
            targets: Vec::new(),
            capacity: Vec::new(),
        };
        results.raise_floors();
        results.judge();
        // What was asked for comes last and goes first, so that it never speaks of other results.
        // One that is damaged is written over: only who goes on with it needs it.
        if !matches!(self.left(), Ok(Some(asked)) if asked == self.asked) {
            self.end()?;
        }
        json::write(&self.results(), &results)?;
        let asked = serde_json::to_vec(&self.asked).map_err(io::Error::from)?;
        verdict_reports::replace(&self.asked_for(), |temporary| fs::write(temporary, asked))?;
        Ok(())
    }

    /// Takes away what was kept: the run is whole.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn end(&self) -> Result<()> {
        for file in [self.asked_for(), self.results()] {
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results.json")
    }

    fn asked_for(&self) -> PathBuf {
        self.folder.join("asked.json")
    }

    /// What the run asked for that was broken off; nothing where none was.
    fn left(&self) -> Result<Option<Asked>> {
        match fs::read(self.asked_for()) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(asked) => Ok(Some(asked)),
                Err(_) => Err(Error::CannotResume(
                    "what was asked for cannot be read".to_owned(),
                )),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
