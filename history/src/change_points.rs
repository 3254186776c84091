//! Where a series of figures begins to be another one.
//!
//! E-divisive means (Matteson and James, A Nonparametric Approach for Multiple Change Point
//! Analysis of Multivariate Data, 2014), for one variable and with the distance itself: a series
//! is divided where the energy distance of its two parts is greatest, and each part again. As
//! MongoDB's and Apache Otava's tools do (Fleming and others, Hunter, 2023) a division stands
//! when Student's test tells the means of the two parts apart, which answers the same every time,
//! as permutations don't; and divisions are first taken more easily than they are kept in the
//! end, the weakest going first, since a series that comes back from where it went is hardly
//! divided at its first look.

use verdict_audit::student::t_quantile;

/// Runs that a part has at least: of fewer no mean is known.
pub const SHORTEST: usize = 3;
/// How often a series in which nothing changes is divided at one place.
const LEVEL: f64 = 0.001;
/// The same for a division that is looked at again.
const AT_FIRST: f64 = 0.01;

/// The places at which a series changes: each is the index of the first figure after it.
pub fn change_points(series: &[f64]) -> Vec<usize> {
    let mut places = Vec::new();
    divide(series, 0, &mut places);
    places.sort_unstable();
    loop {
        let ends = |index: usize| {
            let from = index.checked_sub(1).map_or(0, |before| places[before]);
            let until = places.get(index + 1).copied().unwrap_or(series.len());
            (from, until)
        };
        let strength = |index: usize| {
            let (from, until) = ends(index);
            let (left, right) = series[from..until].split_at(places[index] - from);
            told_apart(left, right, LEVEL)
        };
        let weakest = (0..places.len())
            .map(|index| (index, strength(index)))
            .filter(|(_, strength)| *strength < 1.0)
            .min_by(|one, other| one.1.total_cmp(&other.1));
        match weakest {
            Some((index, _)) => places.remove(index),
            None => return places,
        };
    }
}

fn divide(part: &[f64], offset: usize, places: &mut Vec<usize>) {
    let Some(place) = most_distant(part) else {
        return;
    };
    let (left, right) = part.split_at(place);
    if told_apart(left, right, AT_FIRST) < 1.0 {
        return;
    }
    places.push(offset + place);
    divide(left, offset, places);
    divide(right, offset + place, places);
}

/// The division whose parts have the greatest energy distance; none where a part is too short.
fn most_distant(part: &[f64]) -> Option<usize> {
    let n = part.len();
    let distances = |of: f64, among: &[f64]| -> f64 { among.iter().map(|x| (x - of).abs()).sum() };
    // Sums over pairs within the left part, within the right one, and between them; one figure
    // after the other goes from right to left.
    let mut within = (0.0, 0.0);
    let mut between = 0.0;
    for (index, x) in part.iter().enumerate() {
        within.1 += distances(*x, &part[index + 1..]);
    }
    let mut best: Option<(usize, f64)> = None;
    for place in 1..n {
        let x = part[place - 1];
        let (left, right) = (&part[..place - 1], &part[place..]);
        let (near, far) = (distances(x, left), distances(x, right));
        within.0 += near;
        within.1 -= far;
        between += far - near;
        if place < SHORTEST || n - place < SHORTEST {
            continue;
        }
        let (l, r) = (place as f64, (n - place) as f64);
        let pairs = |of: f64| of * (of - 1.0) / 2.0;
        let distance = 2.0 * between / (l * r) - within.0 / pairs(l) - within.1 / pairs(r);
        let weighted = l * r / (l + r) * distance;
        if best.is_none_or(|(_, most)| weighted > most) {
            best = Some((place, weighted));
        }
    }
    best.map(|(place, _)| place)
}

/// How surely the means of two parts differ: Student's t ÷ what it has to be at a level; 1 and
/// above is told.
fn told_apart(left: &[f64], right: &[f64], level: f64) -> f64 {
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (one, other) = (mean(left), mean(right));
    let squares = |part: &[f64], mean: f64| part.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let degrees = left.len() + right.len() - 2;
    let variance = (squares(left, one) + squares(right, other)) / degrees as f64;
    let error = (variance * (1.0 / left.len() as f64 + 1.0 / right.len() as f64)).sqrt();
    let apart = (one - other).abs();
    if apart == 0.0 {
        return 0.0;
    }
    apart / error / t_quantile(1.0 - level / 2.0, degrees)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// The Nile at Aswan, 10⁸ m³ a year from 1871 to 1970 (Cobb, The Problem of the Nile, 1978):
    /// a change after 1898 is what every method finds.
    const NILE: [f64; 100] = [
        1120.0, 1160.0, 963.0, 1210.0, 1160.0, 1160.0, 813.0, 1230.0, 1370.0, 1140.0, 995.0, 935.0,
        1110.0, 994.0, 1020.0, 960.0, 1180.0, 799.0, 958.0, 1140.0, 1100.0, 1210.0, 1150.0, 1250.0,
        1260.0, 1220.0, 1030.0, 1100.0, 774.0, 840.0, 874.0, 694.0, 940.0, 833.0, 701.0, 916.0,
        692.0, 1020.0, 1050.0, 969.0, 831.0, 726.0, 456.0, 824.0, 702.0, 1120.0, 1100.0, 832.0,
        764.0, 821.0, 768.0, 845.0, 864.0, 862.0, 698.0, 845.0, 744.0, 796.0, 1040.0, 759.0, 781.0,
        865.0, 845.0, 944.0, 984.0, 897.0, 822.0, 1010.0, 771.0, 676.0, 649.0, 846.0, 812.0, 742.0,
        801.0, 1040.0, 860.0, 874.0, 848.0, 890.0, 744.0, 749.0, 838.0, 1050.0, 918.0, 986.0,
        797.0, 923.0, 975.0, 815.0, 1020.0, 906.0, 901.0, 1170.0, 912.0, 746.0, 919.0, 718.0,
        714.0, 740.0,
    ];

    /// Noise about levels, each for so many figures.
    fn series(seed: u64, levels: &[(f64, usize)]) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut noise = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        levels
            .iter()
            .flat_map(|(level, count)| vec![*level; *count])
            .map(|level| level + noise())
            .collect()
    }

    #[test]
    fn the_nile_changes_once_after_1898() {
        assert_eq!(change_points(&NILE), [28]);
    }

    #[test]
    fn a_series_that_goes_and_comes_back_changes_twice() {
        for seed in 0..20 {
            let series = series(seed, &[(0.0, 30), (5.0, 12), (0.0, 30)]);
            let found = change_points(&series);
            let near = |place: usize, due: usize| place.abs_diff(due) <= 2;
            assert!(
                found.len() == 2 && near(found[0], 30) && near(found[1], 42),
                "{seed}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_counted_changes_at_the_very_run() {
        let counted = [9.0, 9.0, 9.0, 9.0, 3.0, 3.0, 3.0];
        assert_eq!(change_points(&counted), [4]);
        assert!(change_points(&[9.0; 40]).is_empty());
    }

    #[test]
    fn noise_alone_seldom_changes() {
        let changed = (0..300)
            .filter(|seed| !change_points(&series(*seed, &[(0.0, 60)])).is_empty())
            .count();
        assert!(changed <= 15, "{changed} of 300");
    }

    #[test]
    fn few_figures_do_not_change() {
        for n in 0..2 * SHORTEST {
            let series: Vec<f64> = (0..n).map(|x| x as f64 * 100.0).collect();
            assert!(change_points(&series).is_empty());
        }
    }
}
