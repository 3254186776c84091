//! Item 15: who is told of what after a mixed load, and what it costs to watch.

use verdict_audit::Counter;
use verdict_audit::evidence::{End, PlanMode, Price, PriceOf};

use super::{counted, declared, heard};

#[test]
fn who_asks_by_time_in_all_is_told_of_findings_and_of_the_costliest_statement() {
    let overlooked = |variant| {
        let heard = heard("monitoring", variant);
        assert_eq!(heard.failure, None, "{variant}");
        counted(heard, "findings", PlanMode::Auto, Counter::Overlooked)[0]
    };
    let today = overlooked("baseline");
    assert!(today > 5.0, "{today}");
    assert!(overlooked("optimized") < today);
    assert!(overlooked("proposed") >= overlooked("optimized"));
    let told = declared("monitoring", "optimized");
    assert!(told.contains("is listed: "), "{told}");
    assert!(told.contains("pagination ("), "{told}");
    let audits = declared("monitoring", "proposed");
    assert!(audits.contains("integer out of range"), "{audits}");
}

#[test]
fn watching_has_a_price_with_its_interval() {
    for variant in ["proposed", "optimized"] {
        let prices = &heard("monitoring", variant).price;
        let of = |wanted: fn(&PriceOf) -> bool| -> &Price {
            prices.iter().find(|price| wanted(&price.what)).unwrap()
        };
        let times = of(|what| matches!(what, PriceOf::Watched { .. }));
        assert!(times.baseline > 0.0 && times.variant > 0.0, "{times:?}");
        let end = |end: End| match end {
            End::Lower => of(|what| {
                matches!(
                    what,
                    PriceOf::WatchedRatio {
                        end: End::Lower,
                        ..
                    }
                )
            }),
            End::Upper => of(|what| {
                matches!(
                    what,
                    PriceOf::WatchedRatio {
                        end: End::Upper,
                        ..
                    }
                )
            }),
        };
        let (lower, upper) = (end(End::Lower), end(End::Upper));
        assert!(
            0.0 < lower.variant && lower.variant <= upper.variant,
            "{prices:?}"
        );
        assert_eq!((lower.baseline, upper.baseline), (1.0, 1.0));
    }
}
