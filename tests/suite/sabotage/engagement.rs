//! Faults of what was added up: affinity, and metrics by the hour.

use chrono::TimeDelta;
use verdict_oracle::write::Kind;
use verdict_scenarios::items::EngagementRollup;
use verdict_scenarios::items::engagement_rollup::{PostMetrics, UserAuthor};
use verdict_scenarios::operation::Operation;

use super::sabotaged::{Fault, FaultOf};
use super::{each_is_caught, each_kept_is_caught, with_fix};

#[test]
fn of_affinity() {
    with_fix(&EngagementRollup, |court| {
        each_is_caught::<UserAuthor, _>(
            court,
            || UserAuthor,
            [
                (
                    "a like too many",
                    Fault::Answered(|authors| {
                        if let Some(last) = authors.last_mut() {
                            last.interaction_count += 1.0;
                        }
                    }),
                ),
                (
                    "an earlier time",
                    Fault::Answered(|authors| {
                        if let Some(first) = authors.first_mut() {
                            first.last_interaction -= TimeDelta::seconds(1);
                        }
                    }),
                ),
                (
                    "another day",
                    Fault::Asked(|request| request.now -= TimeDelta::days(30)),
                ),
            ],
        );
        each_kept_is_caught(court, || UserAuthor, &copied::<UserAuthor>());
    });
}

#[test]
fn of_metrics() {
    with_fix(&EngagementRollup, |court| {
        each_is_caught::<PostMetrics, _>(
            court,
            || PostMetrics,
            [
                (
                    "a like too few",
                    Fault::Answered(|hours| {
                        let liked = hours.iter_mut().find(|hour| hour.likes_count > 0);
                        if let Some(hour) = liked {
                            hour.likes_count -= 1;
                        }
                    }),
                ),
                (
                    "another author",
                    Fault::Answered(|hours| {
                        if let Some(first) = hours.first_mut() {
                            first.author_id.clone_from(&first.post_id);
                        }
                    }),
                ),
                (
                    "an hour less",
                    Fault::Asked(|request| request.until -= TimeDelta::hours(1)),
                ),
            ],
        );
        each_kept_is_caught(court, || PostMetrics, &copied::<PostMetrics>());
    });
}

/// What is kept, and how it goes stale: each kind of write is forgotten once.
fn copied<O: Operation>() -> [(&'static str, FaultOf<O>); 5] {
    [
        (
            "that there is nothing",
            Fault::Copied(1, |kind| kind != Kind::Created),
        ),
        (
            "stale after a like",
            Fault::Copied(1, |kind| kind != Kind::Liked),
        ),
        (
            "stale after a like is taken back",
            Fault::Copied(1, |kind| kind != Kind::Unliked),
        ),
        (
            "stale after a comment",
            Fault::Copied(1, |kind| kind != Kind::Commented),
        ),
        (
            "stale after a post is deleted",
            Fault::Copied(1, |kind| kind != Kind::Deleted),
        ),
    ]
}
