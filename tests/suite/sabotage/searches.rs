//! Faults of searching messages.

use verdict_baseline::message_search::{Found, Sort};
use verdict_oracle::hostile;
use verdict_oracle::message_search::Answer;
use verdict_oracle::write::Kind;
use verdict_scenarios::items::MessageSearch;
use verdict_scenarios::items::message_search::Search;

use super::sabotaged::Fault;
use super::{each_is_caught, each_kept_is_caught, with_fix};

fn found(answer: &mut Answer) -> Option<&mut Found> {
    answer.as_mut().ok()
}

#[test]
fn of_searches() {
    with_fix(&MessageSearch, |court| {
        each_is_caught::<Search, _>(
            court,
            || Search::Common,
            [
                (
                    "the page's rows counted for all",
                    Fault::Answered(|answer| {
                        if let Some(found) = found(answer) {
                            found.total = found.messages.len() as i64;
                        }
                    }),
                ),
                (
                    "recalled ones left out",
                    Fault::Answered(|answer| {
                        if let Some(found) = found(answer) {
                            found.messages.retain(|row| row.recalled_at.is_none());
                        }
                    }),
                ),
                (
                    "a page that lacks its last row",
                    Fault::Answered(|answer| {
                        if let Some(found) = found(answer) {
                            found.messages.pop();
                        }
                    }),
                ),
                (
                    "a row twice",
                    Fault::Answered(|answer| {
                        if let Some([first, second, ..]) =
                            found(answer).map(|of| &mut of.messages[..])
                        {
                            second.clone_from(first);
                        }
                    }),
                ),
                (
                    "the other way round",
                    Fault::Answered(|answer| {
                        if let Some(found) = found(answer) {
                            found.messages.reverse();
                        }
                    }),
                ),
                (
                    "a text cut short",
                    Fault::Answered(|answer| {
                        if let Some(row) = found(answer).and_then(|of| of.messages.last_mut()) {
                            row.content.pop();
                        }
                    }),
                ),
                (
                    "another sender",
                    Fault::Answered(|answer| {
                        if let Some(row) = found(answer).and_then(|of| of.messages.first_mut()) {
                            row.sender_id = hostile::tied_author();
                        }
                    }),
                ),
                (
                    "nothing where nobody has the id",
                    Fault::Answered(|answer| {
                        if answer.is_err() {
                            *answer = Ok(Found::default());
                        }
                    }),
                ),
                (
                    "what is encrypted searched all the same",
                    Fault::Asked(|request| {
                        if request.conversation == hostile::encrypted_conversation() {
                            request.conversation = hostile::searched_conversation();
                        }
                    }),
                ),
                (
                    "relevance taken for newest first",
                    Fault::Asked(|request| {
                        if request.sort == Sort::Relevance {
                            request.sort = Sort::Recent;
                        }
                    }),
                ),
                (
                    "never more than fifty rows",
                    Fault::Asked(|request| request.limit = request.limit.min(50)),
                ),
                (
                    "always the first page",
                    Fault::Asked(|request| request.offset = 0),
                ),
                (
                    "the first word only",
                    Fault::Asked(|request| {
                        let words = request.text.split_whitespace();
                        request.text = words.take(1).collect();
                    }),
                ),
                (
                    "words as they are written, not as they are stored",
                    Fault::Asked(|request| {
                        request.text = request.text.replace("lanterns", "lanter")
                    }),
                ),
                (
                    "no scripts but one's own",
                    Fault::Asked(|request| request.text.retain(|letter| letter.is_ascii())),
                ),
            ],
        );
    });
}

#[test]
fn of_copies_of_searches() {
    with_fix(&MessageSearch, |court| {
        each_kept_is_caught(
            court,
            || Search::Common,
            &[
                ("kept for good", Fault::Copied(1, |_| false)),
                (
                    "dropped by sends alone",
                    Fault::Copied(1, |kind| matches!(kind, Kind::Sent | Kind::Created)),
                ),
                (
                    "kept over an edit",
                    Fault::Copied(1, |kind| kind != Kind::Edited),
                ),
                (
                    "kept over a recall",
                    Fault::Copied(1, |kind| kind != Kind::Recalled),
                ),
                (
                    "kept over a deletion",
                    Fault::Copied(1, |kind| kind != Kind::Deleted),
                ),
            ],
        );
    });
}
