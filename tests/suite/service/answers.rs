//! What either side answers.

use reqwest::StatusCode;
use serde_json::{Value, from_value};
use sqlx::ConnectOptions;
use verdict_baseline::conversation_fetch::Details;
use verdict_baseline::message_search::{self, Found, Sort};
use verdict_baseline::post_images::PostWithImages;
use verdict_baseline::writes::{join, leave};
use verdict_oracle::{
    Oracle, conversation_fetch as fetched, message_search as searched, post_images as images,
};
use verdict_service::ConversationsAnswer;

use super::{
    CLOSED, FOLLOWED, NOBODY, NUMBERED, SIDES, WRITTEN, assert_refused, assert_same_rows, json,
    rows, stage, uuid,
};
use crate::common::runtime;

#[test]
fn both_sides_answer_histories_alike() {
    runtime().block_on(async {
        let stage = stage().await;
        let mut seen = 0;
        for conversation in (20..stage.world.conversations()).step_by(97).chain([0, 1]) {
            let messages = stage.messages(conversation);
            let viewer = stage.world.conversation(conversation).members[0];
            for query in [
                "",
                "&limit=7&offset=3&include_recalled=true",
                "&limit=500&offset=90",
            ] {
                let path = format!("{messages}?viewer={viewer}{query}");
                let baseline = stage.read(&format!("/baseline{path}")).await;
                let optimized = stage.read(&format!("/optimized{path}")).await;
                let page = rows(&baseline, "messages");
                assert_same_rows(page, rows(&optimized, "messages"));
                assert!(page.len() <= 200, "{} rows", page.len());
                seen += page.len();
            }
        }
        // The ladder's second conversation alone gives 50 + 7 + 200.
        assert!(seen > 250, "{seen} messages is no sample");
    });
}

#[test]
fn a_walk_by_cursor_meets_the_posts_of_a_walk_by_offset() {
    runtime().block_on(async {
        let stage = stage().await;
        let author = stage.world.ladder_authors()[0].id;
        let (mut offset, mut cursor, mut pages) = (0, String::new(), 0);
        loop {
            let path = format!("/users/{author}/posts?limit=20");
            let baseline = stage
                .read(&format!("/baseline{path}&offset={offset}"))
                .await;
            let optimized = stage.read(&format!("/optimized{path}{cursor}")).await;
            let page = rows(&baseline, "posts");
            assert_same_rows(page, rows(&optimized, "posts"));
            assert_eq!(baseline["next"], Value::Null);
            offset += page.len();
            pages += 1;
            match optimized["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(pages >= 4, "{pages} pages is no walk");
        let visible = stage.world.posts(&stage.world.author(0));
        let visible = visible
            .iter()
            .filter(|post| post.soft_delete.is_none())
            .count();
        assert_eq!(offset, visible);
    });
}

#[test]
fn both_sides_number_sends_alike_and_refuse_them_alike() {
    runtime().block_on(async {
        let stage = stage().await;
        let conversation = stage.world.conversation(NUMBERED);
        let path = stage.messages(NUMBERED);
        for side in SIDES {
            let send = async |body: Value| {
                let path = format!("/{side}{path}");
                stage
                    .post(stage.service.url(), &path, body.to_string())
                    .await
            };
            let sender = stage.speaker(NUMBERED);
            let key = "6f1f7d9a-7f3e-4a58-9d0e-0c7f0d5a9b11";
            let first = json!({ "sender": sender, "content": "hello", "idempotency_key": key });
            for (number, body) in [
                (1, first.clone()),
                (2, json!({ "sender": sender, "content": "" })),
            ] {
                let (status, answer) = send(body).await;
                assert_eq!(status, StatusCode::CREATED, "{answer}");
                assert_eq!(
                    json(&answer)["sequence_number"],
                    conversation.messages + number,
                    "{side}"
                );
                assert!(json(&answer)["id"].is_string());
            }
            let (status, answer) = send(first).await;
            assert_eq!(status, StatusCode::CONFLICT, "{answer}");
            assert!(answer.contains("sent before"), "{answer}");
        }
    });
}

#[test]
fn a_conversation_is_read_by_its_members_and_sent_to_by_those_who_are_not_muted() {
    const REFUSED: &str = "of somebody who may not";
    runtime().block_on(async {
        let stage = stage().await;
        let stranger = stage.stranger();
        let (place, muted) = (20..stage.world.conversations())
            .find_map(|place| {
                let conversation = stage.world.conversation(place);
                let speakers = stage.world.speakers(&conversation);
                let mut members = conversation.members.into_iter();
                Some((place, members.find(|member| !speakers.contains(member))?))
            })
            .expect("a muted member");
        for (side, address) in [
            ("baseline", &stage.sides.baseline),
            ("optimized", &stage.sides.optimized),
        ] {
            let asked = async |place, viewer| {
                let path = format!("/{side}{}?viewer={viewer}", stage.messages(place));
                stage.get(&stage.service, &path).await
            };
            let sent = async |place, sender| {
                let path = format!("/{side}{}", stage.messages(place));
                let body = json!({ "sender": sender, "content": REFUSED }).to_string();
                stage.post(stage.service.url(), &path, body).await
            };
            for outsider in [stranger, uuid(NOBODY)] {
                assert_refused(asked(CLOSED, outsider).await, 403, "members");
                assert_refused(sent(CLOSED, outsider).await, 403, "members");
            }
            assert_eq!(asked(place, muted).await.0, StatusCode::OK);
            assert_refused(sent(place, muted).await, 403, "muted");

            let mut connection = address.postgres.connect().await.expect("a connection");
            let id = stage.world.conversation(CLOSED).id;
            assert!(join(&mut connection, id, stranger).await.expect("joined"));
            assert_eq!(asked(CLOSED, stranger).await.0, StatusCode::OK);
            assert!(leave(&mut connection, id, stranger).await.expect("left"));
            assert_refused(asked(CLOSED, stranger).await, 403, "members");

            let stored = "SELECT COUNT(*) FROM messages WHERE content = $1";
            let stored = sqlx::query_scalar(stored).bind(REFUSED);
            let stored: i64 = stored.fetch_one(&mut connection).await.expect("a count");
            assert_eq!(stored, 0, "{side}");
        }
    });
}

#[test]
fn both_sides_answer_searches_lists_conversations_and_posts_as_the_rows_say() {
    runtime().block_on(async {
        let stage = stage().await;
        let oracle = Oracle::new(&stage.world);
        let written = WRITTEN.map(|place| stage.world.conversation(place).id);
        let stranger = stage.stranger();
        let (mut found, mut lists) = (0, 0);
        for place in (20..stage.world.conversations()).step_by(97).chain([0, 1]) {
            let conversation = stage.world.conversation(place);
            let (id, viewer) = (conversation.id, conversation.members[0]);
            for side in SIDES {
                for (sort, name) in [
                    (Sort::Recent, "recent"),
                    (Sort::Oldest, "oldest"),
                    (Sort::Relevance, "relevance"),
                ] {
                    let request = message_search::Request {
                        conversation: id,
                        text: searched::COMMON.to_owned(),
                        sort,
                        limit: 7,
                        offset: 3,
                    };
                    let path = format!(
                        "/{side}/conversations/{id}/search?viewer={viewer}&q={}&limit=7&offset=3\
                         &sort={name}",
                        searched::COMMON
                    );
                    let answer: Found = from_value(stage.read(&path).await).expect("its shape");
                    found += answer.messages.len();
                    searched::hold(&oracle, &request, &Ok(answer)).expect(&path);
                }
                // The second time it may be kept.
                for _ in 0..2 {
                    let path = format!("/{side}/conversations/{id}?viewer={viewer}");
                    let answer: Details = from_value(stage.read(&path).await).expect("its shape");
                    fetched::hold(&oracle, id, &answer).expect(&path);
                }
            }
        }
        for user in (0..stage.world.users()).map(|index| stage.world.user(index)) {
            // What other tests write is in no world.
            let listed = oracle.conversations_of(user);
            if user == stranger || written.iter().any(|id| listed.contains(id)) {
                continue;
            }
            for path in SIDES.map(|side| format!("/{side}/users/{user}/conversations")) {
                lists += listed.len();
                let answer: ConversationsAnswer =
                    from_value(stage.read(&path).await).expect("its shape");
                fetched::hold_list(&oracle, user, &answer.conversations).expect(&path);
            }
            if lists > 100 {
                break;
            }
        }
        assert!(
            found > 10 && lists > 10,
            "{found} messages and {lists} rows of lists are no sample"
        );
        let authors = stage.world.ladder_authors();
        let (author, mut posts) = (&authors[0], stage.world.posts(&authors[0]));
        posts.truncate(200);
        let (mut shown, mut gone) = (0, 0);
        for post in posts {
            let due = images::due(&oracle, (author.id, post.id));
            for path in SIDES.map(|side| format!("/{side}/posts/{}", post.id)) {
                match &due {
                    Some(due) => {
                        shown += 1;
                        for _ in 0..2 {
                            let answer: PostWithImages =
                                from_value(stage.read(&path).await).expect("its shape");
                            assert_eq!(&answer, due, "{path}");
                        }
                    }
                    None => {
                        gone += 1;
                        assert_refused(stage.get(&stage.service, &path).await, 404, "no post");
                    }
                }
            }
        }
        assert!(shown > 0 && gone > 0, "{shown} shown, {gone} gone");
    });
}

#[test]
fn a_conversation_that_was_sent_to_shows_the_message_as_its_last_at_once() {
    runtime().block_on(async {
        let stage = stage().await;
        let conversation = stage.world.conversation(FOLLOWED);
        let sender = stage.speaker(FOLLOWED);
        for side in SIDES {
            let path = format!("/{side}/conversations/{}?viewer={sender}", conversation.id);
            for text in ["one", "two", "three"] {
                let body = json!({ "sender": sender, "content": text }).to_string();
                let send = format!("/{side}{}", stage.messages(FOLLOWED));
                let before = stage.read(&path).await;
                let (status, sent) = stage.post(stage.service.url(), &send, body).await;
                assert_eq!(status, StatusCode::CREATED, "{sent}");
                let after = stage.read(&path).await;
                assert_ne!(before["last_message_id"], after["last_message_id"]);
                assert_eq!(json(&sent)["id"], after["last_message_id"], "{side}");
            }
        }
    });
}
