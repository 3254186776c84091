//! HDR histograms as results carry them: V2, base64, so that several add up exactly.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

/// A histogram as text.
///
/// # Errors
/// When it has counts that the format does not hold.
pub fn encode(histogram: &Histogram<u64>) -> Result<String, String> {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(histogram, &mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(BASE64_STANDARD.encode(bytes))
}

/// More than any run counts, and few enough to be summed up.
const MOST: u64 = 1_000_000_000_000;

/// A histogram from results.
///
/// # Errors
/// When the text is none, or holds more than any run counts.
pub fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|error| error.to_string())?;
    let histogram: Histogram<u64> = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| error.to_string())?;
    if histogram.len() > MOST {
        return Err(format!(
            "it counts {} values, and no run does",
            histogram.len()
        ));
    }
    Ok(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_survives_the_results_file() {
        let mut histogram = Histogram::new(3).unwrap();
        for latency in [1_u64, 17, 1_234, 999_999, 600_000_000] {
            histogram.record(latency).unwrap();
        }
        assert_eq!(decode(&encode(&histogram).unwrap()).unwrap(), histogram);
        assert!(decode("not base64!").is_err());
        histogram.record_n(7, MOST).unwrap();
        assert!(decode(&encode(&histogram).unwrap()).is_err());
    }
}
