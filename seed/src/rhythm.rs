//! When things happen: by day and week, in bursts, now and then at the same instant.

use chrono::{DateTime, TimeDelta, Utc};
use rand::{Rng, RngExt};

use crate::distribution::exponential;

/// The world's clock, 2025-10-29T00:00:00Z (the audit's date), in microseconds since 1970.
/// All that happens lies before it, so that rows do not depend on the day they are made.
pub(crate) const NOW: i64 = 1_761_696_000_000_000;
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const DAY: i64 = 24 * HOUR;

/// The share of instants that repeat the one before.
const TIES: f64 = 0.01;

/// Activity by hour of the day (UTC), the busiest being 1: quiet nights, busy evenings.
const HOURS: [f64; 24] = [
    0.25, 0.15, 0.10, 0.08, 0.08, 0.12, 0.25, 0.40, 0.55, 0.60, 0.62, 0.66, //
    0.72, 0.68, 0.62, 0.60, 0.64, 0.72, 0.84, 0.95, 1.00, 0.96, 0.76, 0.48,
];

/// Activity by weekday from Monday.
const WEEKDAYS: [f64; 7] = [0.80, 0.80, 0.82, 0.85, 0.95, 1.00, 0.92];

/// Microseconds since 1970 as a point in time.
pub(crate) fn at(micros: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::microseconds(micros)
}

/// A later instant, held before the world's clock.
pub(crate) fn later(micros: i64, delay: f64) -> i64 {
    micros.saturating_add(delay as i64).min(NOW - 1).max(micros)
}

fn activity(micros: i64) -> f64 {
    let hour = micros.rem_euclid(DAY) / HOUR;
    // Day 0 of the epoch was a Thursday.
    let weekday = (micros.div_euclid(DAY) + 3).rem_euclid(7);
    HOURS[hour as usize] * WEEKDAYS[weekday as usize]
}

/// How bursts look: their mean length, and the mean pause within, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bursts {
    pub(crate) length: f64,
    pub(crate) pause: f64,
}

/// `count` ascending instants in `from..to`, in microseconds since 1970.
pub(crate) fn instants(
    random: &mut impl Rng,
    count: usize,
    from: i64,
    to: i64,
    bursts: Bursts,
) -> Vec<i64> {
    let span = (to - from).max(1);
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let mut time = start_of_burst(random, from, span);
        let length = 1 + exponential(random, bursts.length - 1.0) as usize;
        for _ in 0..length.min(count - times.len()) {
            times.push(from + (time - from) % span);
            time += 1 + exponential(random, bursts.pause) as i64;
        }
    }
    times.sort_unstable();
    for i in 1..times.len() {
        if random.random_bool(TIES) {
            times[i] = times[i - 1];
        }
    }
    times
}

fn start_of_burst(random: &mut impl Rng, from: i64, span: i64) -> i64 {
    let mut time = from;
    // Rejection; a span that lies wholly in the night takes the last try as it is.
    for _ in 0..16 {
        time = from + random.random_range(0..span);
        if random.random::<f64>() < activity(time) {
            break;
        }
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Aspect, stream};

    fn sample() -> Vec<i64> {
        let bursts = Bursts {
            length: 8.0,
            pause: 20.0 * SECOND as f64,
        };
        let mut random = stream(1, Aspect::MESSAGE_TIMES, 0);
        instants(&mut random, 50_000, NOW - 180 * DAY, NOW, bursts)
    }

    #[test]
    fn instants_ascend_within_their_span_and_about_one_in_a_hundred_is_a_tie() {
        let times = sample();
        assert!(times.is_sorted());
        assert!(times[0] >= NOW - 180 * DAY && times[times.len() - 1] < NOW);
        let ties = times.windows(2).filter(|w| w[0] == w[1]).count();
        assert!((400..650).contains(&ties), "{ties} ties in 50000");
    }

    #[test]
    fn evenings_are_busier_than_nights_and_pauses_are_short() {
        let times = sample();
        let in_hour = |hour| times.iter().filter(|t| *t % DAY / HOUR == hour).count();
        assert!(in_hour(20) > 5 * in_hour(3));
        let short = times.windows(2).filter(|w| w[1] - w[0] < 60 * SECOND);
        assert!(short.count() > times.len() / 2);
    }

    #[test]
    fn the_clock_stands_at_the_audits_date() {
        assert_eq!(at(NOW).to_rfc3339(), "2025-10-29T00:00:00+00:00");
        let told = at(NOW).format("toDateTime('%F %T', 'UTC')").to_string();
        assert_eq!(verdict_baseline::schema::CLICKHOUSE_CLOCK, told);
    }
}
