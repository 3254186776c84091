//! Figures as they are written: by subject, variant, place and measure, so that a name stands once
//! and not with each figure.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::figure::{Figure, Key, Measure};

type Tree = BTreeMap<String, BTreeMap<String, BTreeMap<String, BTreeMap<Measure, Value>>>>;

/// A figure; or a figure, both ends of its interval, and the rounds behind it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Counted(f64),
    Timed(f64, f64, f64, usize),
}

pub(crate) fn serialize<S: Serializer>(figures: &[Figure], to: S) -> Result<S::Ok, S::Error> {
    let mut tree = Tree::new();
    for figure in figures {
        let key = figure.key.clone();
        let value = match figure.interval {
            None => Value::Counted(rounded(figure.value)),
            Some(ends) => {
                let [lo, hi] = ends.map(rounded);
                Value::Timed(rounded(figure.value), lo, hi, figure.rounds)
            }
        };
        let of_subject = tree.entry(key.subject).or_default();
        let of_variant = of_subject.entry(key.variant).or_default();
        let at_place = of_variant.entry(key.place).or_default();
        at_place.insert(key.measure, value);
    }
    tree.serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Figure>, D::Error> {
    let mut figures = Vec::new();
    for (subject, variants) in Tree::deserialize(from)? {
        for (variant, places) in variants {
            for (place, measures) in places {
                for (measure, value) in measures {
                    let key = Key {
                        subject: subject.clone(),
                        variant: variant.clone(),
                        place: place.clone(),
                        measure,
                    };
                    let (value, interval, rounds) = match value {
                        Value::Counted(value) => (value, None, 0),
                        Value::Timed(value, lo, hi, rounds) => (value, Some([lo, hi]), rounds),
                    };
                    figures.push(Figure {
                        key,
                        value,
                        interval,
                        rounds,
                    });
                }
            }
        }
    }
    Ok(figures)
}

/// Seven digits: no figure is known better, and most of a file would be digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.6e}").parse().unwrap_or(value)
}
