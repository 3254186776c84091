//! The rows of a world in files, as COPY and INSERT read them: what a benchmark gives to other
//! loaders.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use futures_util::future::{BoxFuture, try_join_all};

use crate::pgcopy::{HEADER, TRAILER};
use crate::pipeline::{Broken, Lane, start};
use crate::stages::stages;
use crate::tables::{Engine, Table};
use crate::world::World;

/// The rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFile {
    /// Whether they are PostgreSQL's, in its binary COPY format; otherwise ClickHouse's, as
    /// RowBinary.
    pub postgres: bool,
    /// The table.
    pub table: &'static str,
    /// The columns, as a list.
    pub columns: &'static str,
    /// Where they are.
    pub path: PathBuf,
    /// How many.
    pub rows: u64,
}

/// Writes the rows of every table into a file of a folder, in the order in which tables are
/// filled.
///
/// # Errors
/// When a file cannot be written, or a generator has stopped.
pub fn write_files<'a>(
    world: &'a World,
    folder: &'a Path,
    threads: usize,
) -> BoxFuture<'a, io::Result<Vec<RowFile>>> {
    Box::pin(async move {
        let mut files = Vec::new();
        for stage in stages(world) {
            let lanes = start(&stage, threads).into_iter().zip(&stage.tables);
            let written = lanes.map(|(lane, table)| write_file(lane, *table, folder));
            files.extend(try_join_all(written).await?);
        }
        Ok(files)
    })
}

async fn write_file(mut lane: Lane, table: Table, folder: &Path) -> io::Result<RowFile> {
    let Table {
        engine,
        name,
        columns,
        ..
    } = table;
    let postgres = engine == Engine::Postgres;
    let path = folder.join(name);
    let mut file = BufWriter::new(File::create(&path)?);
    if postgres {
        file.write_all(HEADER)?;
    }
    let mut rows = 0;
    let stopped = |Broken| io::Error::other(format!("the generator of `{name}` stopped early"));
    while let Some(block) = lane.next().await.map_err(stopped)? {
        file.write_all(&block.bytes)?;
        rows += block.rows;
    }
    if postgres {
        file.write_all(TRAILER)?;
    }
    file.flush()?;
    Ok(RowFile {
        postgres,
        table: name,
        columns,
        path,
        rows,
    })
}
