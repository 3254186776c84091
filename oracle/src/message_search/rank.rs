//! `ts_rank` as PostgreSQL computes it (src/backend/utils/adt/tsrank.c), step by step in the same
//! precision, so that equal ranks here are equal ranks there.

/// The weight of a word that was given none.
const WEIGHT: f32 = 0.1;

/// What the squares' reciprocals add up to.
const SQUARES: f64 = 1.644_934_066_85;

/// The rank of terms none of which stands at a place of its own.
const LEAST: f32 = 1e-20;

/// The rank of a message that holds terms at these places, the terms in their own order.
pub(super) fn rank(places: &[Vec<u16>]) -> f32 {
    match places {
        [] => 0.0,
        [of] => alone(of.len()),
        of => together(of).unwrap_or(LEAST),
    }
}

fn alone(times: usize) -> f32 {
    let mut sum = 0.0_f32;
    for place in 1..=times {
        sum += WEIGHT / (place * place) as f32;
    }
    (f64::from(WEIGHT + sum - WEIGHT) / SQUARES) as f32
}

fn together(places: &[Vec<u16>]) -> Option<f32> {
    let mut rank: Option<f32> = None;
    for (term, of) in places.iter().enumerate() {
        for before in &places[..term] {
            for place in of {
                for other in before.iter().filter(|other| *other != place) {
                    let distance = place.abs_diff(*other);
                    let near = f64::from(WEIGHT * WEIGHT * nearness(distance)).sqrt() as f32;
                    rank = Some(match rank {
                        None => near,
                        Some(rank) => {
                            (1.0 - (1.0 - f64::from(rank)) * (1.0 - f64::from(near))) as f32
                        }
                    });
                }
            }
        }
    }
    rank
}

fn nearness(distance: u16) -> f32 {
    if distance > 100 {
        return 1e-30;
    }
    (1.0 / (1.005 + 0.05 * (f64::from(distance) / 1.5 - 2.0).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    // As PostgreSQL 18 answers them.
    #[test]
    fn ranks_are_those_of_the_formula() {
        assert_eq!(rank(&[vec![3]]), 0.060_792_71);
        assert_eq!(rank(&[vec![1, 2]]), 0.075_990_885);
        assert_eq!(rank(&[vec![1], vec![2]]), 0.099_103_22);
    }

    #[test]
    fn nearer_and_more_often_rank_higher() {
        assert!(rank(&[vec![1], vec![2]]) > rank(&[vec![1], vec![9]]));
        assert!(rank(&[vec![1], vec![2, 4]]) > rank(&[vec![1], vec![2]]));
        assert!(rank(&[vec![1, 2]]) > rank(&[vec![1]]));
    }
}
