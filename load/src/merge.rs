//! Several generators' results as one.
//!
//! Histograms add exactly, window by window: the merged percentiles are those of all requests
//! together, and not a mean of percentiles. Users, rates, throughput, requests and errors add up, since the
//! generators worked at the same time; the verdicts are given anew.

use std::collections::BTreeSet;

use verdict_audit::evidence::{Compared, FlowEvidence, Results, SCHEMA};
use verdict_audit::rules::Judgement;
use verdict_audit::usl::Throughput;
use verdict_audit::{Catalogue, FlowId, Verdict};

use crate::error::{Error, Result};
use crate::evidence::{capacity, fill, judge, name, ratios, read};
use crate::per_side::SIDES;

/// Between the ids of runs that are put together.
const TOGETHER: char = '+';

/// Puts together what several generators with the same options measured of one service at one
/// time. The first one's run and items stand for all; rows that any generator found wrong stay
/// wrong; capacity is fitted anew, to one throughput per level. Today against itself stays the
/// first one's.
///
/// # Errors
/// No results, results of another schema or without load, a run that is there twice, or results
/// that do not belong together: another scale or seed, another time, other levels, other targets.
pub fn merge(all: Vec<Results>) -> Result<Results> {
    let generators = all.len();
    let mut rest = all.into_iter();
    let mut merged = rest.next().ok_or(Error::NothingToMerge)?;
    usable(&merged, 1)?;
    let alone = merged.clone();
    for (other, number) in rest.zip(2..) {
        usable(&other, number)?;
        let mut ids = other.run.id.split(TOGETHER);
        if let Some(id) = ids.find(|id| merged.run.id.split(TOGETHER).any(|ours| ours == *id)) {
            return Err(Error::Twice {
                id: id.to_owned(),
                number,
            });
        }
        merged.run.id = format!("{}{TOGETHER}{}", merged.run.id, other.run.id);
        belongs(&alone, &other, number)?;
        for (ours, theirs) in merged.flows.iter_mut().zip(&other.flows) {
            add(ours, theirs)?;
        }
        merged.run.time = merged.run.time.min(other.run.time);
        for warning in other.run.warnings {
            if !merged.run.warnings.contains(&warning) {
                merged.run.warnings.push(warning);
            }
        }
    }
    for row in &mut merged.flows {
        rejudge(row, generators)?;
    }
    merged
        .flow_ratios
        .retain(|ratio| ratio.of == Compared::Itself);
    merged.flow_ratios.extend(ratios(&merged.flows)?);
    merged.judge();
    merged.capacity = capacities(&merged);
    Ok(merged)
}

fn usable(results: &Results, number: usize) -> Result<()> {
    if results.schema != SCHEMA {
        return Err(Error::OtherSchema {
            found: results.schema,
        });
    }
    if results.flows.is_empty() {
        return Err(Error::NoLoad {
            id: results.run.id.clone(),
            number,
        });
    }
    Ok(())
}

/// Refuses results of another world, another plan or another audit.
fn belongs(first: &Results, other: &Results, number: usize) -> Result<()> {
    let same = |what: &str, ours: String, theirs: String| {
        if ours == theirs {
            return Ok(());
        }
        Err(Error::Strangers {
            what: what.to_owned(),
            ours,
            theirs,
            number,
        })
    };
    same(
        "the scale",
        first.run.scale.clone(),
        other.run.scale.clone(),
    )?;
    same(
        "the seed",
        first.run.seed.to_string(),
        other.run.seed.to_string(),
    )?;
    let engines = |results: &Results| {
        let of = |engine: &verdict_audit::evidence::EngineInfo| {
            format!("{} {} ({})", engine.name, engine.version, engine.mode)
        };
        results
            .run
            .engines
            .iter()
            .map(of)
            .collect::<Vec<_>>()
            .join(", ")
    };
    same("the list of engines", engines(first), engines(other))?;
    let measured = |results: &Results| results.flows.iter().map(|row| row.duration).sum::<f64>();
    let apart = (other.run.time - first.run.time).as_seconds_f64().abs();
    if apart > measured(first).min(measured(other)) {
        same(
            "the start, too far apart to have driven the service together,",
            first.run.time.to_string(),
            other.run.time.to_string(),
        )?;
    }
    let levels = |results: &Results| {
        results
            .flows
            .iter()
            .map(name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    // Rates that were derived differ from one generator to the next.
    same("the list of levels", levels(first), levels(other))?;
    for (ours, theirs) in first.flows.iter().zip(&other.flows) {
        same(
            &format!("the target of {}", name(ours)),
            held_to(ours),
            held_to(theirs),
        )?;
        same(
            &format!("the number of windows of {}", name(ours)),
            ours.windows.len().to_string(),
            theirs.windows.len().to_string(),
        )?;
    }
    Ok(())
}

/// Adds what another generator measured at the same time.
fn add(ours: &mut FlowEvidence, theirs: &FlowEvidence) -> Result<()> {
    let mut windows = read(ours)?;
    for (ours_of, theirs_of) in windows.iter_mut().zip(read(theirs)?) {
        ours_of.add(&theirs_of).map_err(|reason| Error::Histogram {
            what: "add to",
            row: name(ours),
            reason,
        })?;
    }
    ours.requests = ours.requests.saturating_add(theirs.requests);
    ours.errors = ours.errors.saturating_add(theirs.errors);
    ours.throughput += theirs.throughput;
    ours.duration = ours.duration.max(theirs.duration);
    ours.users = ours
        .users
        .zip(theirs.users)
        .map(|(a, b)| a.saturating_add(b));
    ours.rate = ours.rate.zip(theirs.rate).map(|(a, b)| a + b);
    // The fleet is as late as its latest generator, and as busy as its busiest.
    ours.generator_share = ours
        .generator_share
        .zip(theirs.generator_share)
        .map(|(a, b)| a.max(b));
    ours.generator_lag_p99 = ours
        .generator_lag_p99
        .zip(theirs.generator_lag_p99)
        .map(|(a, b)| a.max(b));
    if theirs.verdict == Verdict::Wrong && ours.verdict != Verdict::Wrong {
        ours.verdict = Verdict::Wrong;
        ours.reason.clone_from(&theirs.reason);
    }
    fill(ours, &windows)
}

/// What a row is held to, in words.
fn held_to(row: &FlowEvidence) -> String {
    row.target_ms
        .map_or_else(|| "none".to_owned(), |ms| format!("{ms} ms"))
}

fn rejudge(row: &mut FlowEvidence, generators: usize) -> Result<()> {
    let wrong = (row.verdict == Verdict::Wrong).then(|| Judgement {
        verdict: Verdict::Wrong,
        reason: row.reason.clone(),
    });
    judge(row, Catalogue::builtin().target(row.id), wrong);
    if row.verdict != Verdict::Wrong {
        row.reason = format!("{}; {generators} generators together", row.reason);
    }
    Ok(())
}

fn capacities(merged: &Results) -> Vec<verdict_audit::evidence::Capacity> {
    let ids: BTreeSet<FlowId> = merged.flows.iter().map(|row| row.id).collect();
    ids.into_iter()
        .flat_map(|id| SIDES.map(|side| (id, side)))
        .map(|(id, side)| {
            let windows: Vec<Throughput> = merged
                .flows
                .iter()
                .filter(|row| row.id == id && row.side == side && !row.load().failing())
                .filter_map(|row| {
                    Some(Throughput {
                        users: row.users?,
                        rate: row.throughput,
                    })
                })
                .collect();
            let of = (id, Catalogue::builtin().target(id));
            capacity(of, side, &merged.flows, &windows, merged.run.seed).0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use verdict_audit::Side;
    use verdict_audit::evidence::{Estimate, Host, Run};

    use super::*;
    use crate::tape::{Tape, WindowTape};

    fn row(users: u32, windows: &[WindowTape]) -> FlowEvidence {
        let nothing = Estimate {
            value: 0.0,
            lo: None,
            hi: None,
        };
        let requests: u64 = windows.iter().map(|window| window.latencies.len()).sum();
        let mut row = FlowEvidence {
            id: FlowId::History,
            side: Side::Optimized,
            users: Some(users),
            rate: None,
            requests,
            errors: 0,
            duration: 10.0,
            throughput: requests as f64 / 10.0,
            p50: nothing,
            p95: nothing,
            p99: nothing,
            standing_p95: None,
            generator_lag_p99: None,
            generator_share: Some(0.1),
            target_ms: Some(100.0),
            verdict: Verdict::Confirmed,
            reason: String::new(),
            judged: false,
            mean: 0.0,
            stages: Vec::new(),
            windows: Vec::new(),
        };
        fill(&mut row, windows).unwrap();
        row
    }

    fn results(flows: Vec<FlowEvidence>) -> Results {
        Results {
            schema: SCHEMA,
            run: Run {
                id: format!("{:08x}", rand::random::<u32>()),
                time: DateTime::UNIX_EPOCH,
                commit: None,
                host: Host {
                    name: "host".to_owned(),
                    cpus: 2,
                    cpu: "cpu".to_owned(),
                    memory: 1,
                    os: "os".to_owned(),
                },
                engines: vec![],
                scale: "smoke".to_owned(),
                seed: 1,
                sizes: Default::default(),
                aa: None,
                warnings: vec![],
            },
            items: vec![],
            flows,
            flow_ratios: vec![],
            targets: vec![],
            capacity: vec![],
        }
    }

    /// Two windows of alike numbers of requests.
    fn recorded(latencies: &[u64]) -> Vec<WindowTape> {
        let window = |first: usize| {
            let mut tape = Tape::new(1);
            tape.next_window();
            let mut window = tape.windows.remove(0);
            for latency in latencies.iter().skip(first).step_by(2) {
                window.answered += 1;
                window.latencies.record(*latency).unwrap();
                window.standing.record(*latency).unwrap();
            }
            window
        };
        vec![window(0), window(1)]
    }

    fn measured(users: u32, latencies: &[u64]) -> Results {
        results(vec![row(users, &recorded(latencies))])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_was_split_has_the_percentiles_of_the_whole_when_merged(
            latencies in proptest::collection::vec(1u64..5_000_000, 1..400),
            generators in 1usize..5,
        ) {
            // Each generator has its part of each window.
            let parts = (0..generators).map(|generator| {
                let part: Vec<u64> = latencies
                    .chunks(2)
                    .skip(generator)
                    .step_by(generators)
                    .flatten()
                    .copied()
                    .collect();
                measured(2, &part)
            });
            let merged = merge(parts.collect()).unwrap().flows.remove(0);
            let whole = row(2, &recorded(&latencies));
            prop_assert_eq!(merged.requests, whole.requests);
            prop_assert_eq!((merged.p50, merged.p95, merged.p99), (whole.p50, whole.p95, whole.p99));
            prop_assert_eq!(merged.windows, whole.windows);
            prop_assert_eq!(merged.users, Some(2 * generators as u32));
            prop_assert!((merged.throughput - whole.throughput).abs() < 1e-9);
        }
    }

    #[test]
    fn a_fleet_is_judged_where_its_users_add_up_to_the_judged_number() {
        let latencies = [2_000; 600];
        let merged = merge(vec![measured(2, &latencies), measured(2, &latencies)]).unwrap();
        assert_eq!(merged.flows[0].users, Some(4));
        assert!(merged.flows[0].judged);
        assert_eq!(merged.flows[0].verdict, Verdict::Confirmed);
        assert_eq!(merged.capacity[1].max_users, Some(4));
    }

    #[test]
    fn the_verdict_is_given_anew() {
        let (fast, slow) = (measured(2, &[2_000; 600]), measured(2, &[200_000; 600]));
        assert_eq!(
            merge(vec![fast, slow]).unwrap().flows[0].verdict,
            Verdict::FallsShort
        );
    }

    #[test]
    fn what_one_generator_found_wrong_stays_wrong() {
        let right = measured(2, &[2_000; 600]);
        let mut wrong = measured(2, &[2_000; 600]);
        wrong.flows[0].verdict = Verdict::Wrong;
        wrong.flows[0].reason = "row 7".to_owned();
        for order in [vec![right.clone(), wrong.clone()], vec![wrong, right]] {
            let merged = merge(order).unwrap();
            assert_eq!(merged.flows[0].verdict, Verdict::Wrong);
            assert!(merged.flows[0].reason.contains("row 7"));
        }
    }

    #[test]
    fn strangers_are_refused_by_what_differs() {
        let first = || measured(2, &[2_000; 600]);
        let mut other_seed = first();
        other_seed.run.seed = 2;
        let mut other_scale = first();
        other_scale.run.scale = "nightly".to_owned();
        let mut other_hour = first();
        other_hour.run.time += chrono::TimeDelta::hours(1);
        let other_level = measured(16, &[2_000; 600]);
        let mut other_target = first();
        other_target.flows[0].target_ms = Some(50.0);
        for (other, word) in [
            (other_seed, "seed"),
            (other_scale, "scale"),
            (other_hour, "start"),
            (other_level, "levels"),
            (other_target, "target"),
        ] {
            let error = merge(vec![first(), other]).unwrap_err().to_string();
            assert!(
                error.contains(word) && error.contains("number 2"),
                "{error}"
            );
        }
        assert!(matches!(merge(vec![]), Err(Error::NothingToMerge)));
        let mut old = first();
        old.schema = SCHEMA + 1;
        assert!(matches!(
            merge(vec![first(), old]),
            Err(Error::OtherSchema { .. })
        ));
        let mut shorter = first();
        shorter.flows[0].windows.pop();
        let error = merge(vec![first(), shorter]).unwrap_err().to_string();
        assert!(error.contains("windows"), "{error}");
        let mut torn = first();
        torn.flows[0].requests += 1;
        assert!(matches!(
            merge(vec![first(), torn]),
            Err(Error::Histogram { .. })
        ));
    }

    #[test]
    fn a_run_without_load_has_nothing_to_add() {
        let (loaded, idle) = (|| measured(2, &[2_000; 600]), || results(vec![]));
        for (all, which) in [
            (vec![idle(), idle()], 1),
            (vec![idle(), loaded()], 1),
            (vec![loaded(), idle()], 2),
        ] {
            let error = merge(all).unwrap_err();
            assert!(
                matches!(error, Error::NoLoad { number, .. } if number == which),
                "{error}"
            );
            assert_eq!(error.exit(), verdict_audit::Exit::Data);
        }
    }

    #[test]
    fn a_run_is_not_added_to_itself_nor_to_what_holds_it() {
        let of = |id: &str| {
            let mut results = results(vec![row(4, &recorded(&[1_000, 2_000]))]);
            results.run.id = id.to_owned();
            results
        };
        let merged = merge(vec![of("a"), of("b")]).unwrap();
        for again in [vec![of("a"), of("a")], vec![merged, of("b")]] {
            let error = merge(again).unwrap_err();
            assert!(matches!(error, Error::Twice { number: 2, .. }), "{error}");
        }
    }
}
