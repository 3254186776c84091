//! A vocabulary whose words have known frequencies.

use std::collections::HashSet;

use fake::locales::{Data, EN};
use rand::{Rng, RngExt};

/// Words that no other text holds, with the number of text messages among which one is
/// expected to hold it: a common, a rare and a very rare term for searches.
pub const MARKERS: [(&str, u32); 3] =
    [("lantern", 10), ("meridian", 1_000), ("zephyrite", 100_000)];

/// Words in the vocabulary.
const WORDS: usize = 2_000;
/// Entries of the lookup table: a word's frequency is its number of entries over this.
const ENTRIES: usize = 1 << 16;

/// What chat is mostly made of, most frequent first; stop words lead, as in real text.
const COMMON: &str = "the to you and a it is in that of for on we me so this be have not are \
    what do just at can with my was all now if get like no up out know your they time good go \
    but see will about there when one here think how back some then too as today work need \
    really later home yes right tomorrow well day want make still take sure come great night \
    thanks maybe week please looking meeting call soon photo dinner phone train morning coffee \
    music movie game weekend friend family school office project report ticket price garden \
    window kitchen market bridge river mountain summer winter holiday birthday present letter \
    doctor health running bicycle station airport hotel beach guitar concert theatre museum \
    recipe chicken orange lemon sugar bread butter cheese salad pepper tomato onion potato";

/// About 2 000 words by a Zipf law (frequency of the k-th most frequent in proportion to 1/k).
#[derive(Debug)]
pub(crate) struct Vocabulary {
    words: Vec<String>,
    table: Vec<u16>,
}

impl Vocabulary {
    pub(crate) fn new() -> Self {
        let words = words();
        let harmonic: f64 = (1..=words.len()).map(|k| 1.0 / k as f64).sum();
        let mut table = Vec::with_capacity(ENTRIES);
        let mut share = 0.0;
        for k in 0..words.len() {
            share += 1.0 / ((k + 1) as f64 * harmonic);
            table.resize((share * ENTRIES as f64).round() as usize, k as u16);
        }
        Self { words, table }
    }

    /// Appends `count` words to `text`, a space between any two.
    pub(crate) fn write(&self, random: &mut impl Rng, count: usize, text: &mut String) {
        let mut bits = 0;
        for i in 0..count {
            if i % 4 == 0 {
                bits = random.next_u64();
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&self.words[usize::from(self.table[bits as usize % ENTRIES])]);
            bits >>= 16;
        }
    }

    /// `count` words.
    pub(crate) fn text(&self, random: &mut impl Rng, count: usize) -> String {
        let mut text = String::with_capacity(count * 8);
        self.write(random, count, &mut text);
        text
    }

    /// A message: two to eighteen words, about 50 bytes, with [`MARKERS`] at their rates.
    pub(crate) fn message(&self, random: &mut impl Rng) -> String {
        let words = random.random_range(2..=18);
        let before = random.random_range(0..=words);
        let draw = random.random_range(0..MARKERS[2].1);
        let mut text = self.text(random, before);
        for (word, rate) in MARKERS {
            if draw % rate == rate / 2 {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(word);
            }
        }
        self.write(random, words - before, &mut text);
        text
    }
}

fn words() -> Vec<String> {
    let known = COMMON
        .split_whitespace()
        .chain(EN::LOREM_WORD.iter().copied());
    let made = (0..).map(made_up);
    let mut seen: HashSet<String> = MARKERS.iter().map(|(word, _)| (*word).to_owned()).collect();
    known
        .map(str::to_owned)
        .chain(made)
        .filter(|word| seen.insert(word.clone()))
        .take(WORDS)
        .collect()
}

/// The n-th of 32 000 pronounceable words.
fn made_up(n: usize) -> String {
    const ONSETS: [&str; 16] = [
        "b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z",
    ];
    const VOWELS: [&str; 5] = ["a", "e", "i", "o", "u"];
    const ENDS: [&str; 5] = ["n", "r", "l", "sk", "mo"];
    let syllable = |k: usize| [ONSETS[k % 16], VOWELS[k / 16 % 5]].concat();
    // 29 shares no factor with 80, so that neighbours differ in both syllables.
    [
        &syllable(n * 29),
        &syllable(n / 80),
        ENDS[(n / 6_400 + n) % 5],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Aspect, stream};

    #[test]
    fn the_vocabulary_is_full_and_follows_zipf() {
        let vocabulary = Vocabulary::new();
        assert_eq!(vocabulary.words.len(), WORDS);
        assert_eq!(vocabulary.table.len(), ENTRIES);
        let entries = |k| vocabulary.table.iter().filter(|&&w| w == k).count() as f64;
        assert!((entries(0) / entries(9) - 10.0).abs() < 0.1);
        assert!(entries(WORDS as u16 - 1) > 0.0);
    }

    #[test]
    fn markers_come_at_their_rates_and_messages_are_about_fifty_bytes() {
        let vocabulary = Vocabulary::new();
        let mut random = stream(1, Aspect::MESSAGE_TEXT, 0);
        let messages: Vec<_> = (0..200_000)
            .map(|_| vocabulary.message(&mut random))
            .collect();
        let with = |word: &str| {
            let holds = |m: &&String| m.split(' ').any(|w| w == word);
            messages.iter().filter(holds).count()
        };
        assert!((19_500..20_500).contains(&with(MARKERS[0].0)));
        assert!((150..250).contains(&with(MARKERS[1].0)));
        assert!((0..10).contains(&with(MARKERS[2].0)));
        let mean = messages.iter().map(String::len).sum::<usize>() / messages.len();
        assert!((40..60).contains(&mean), "{mean} bytes");
    }
}
