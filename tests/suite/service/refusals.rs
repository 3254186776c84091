//! What is refused, and in which words.

use reqwest::StatusCode;
use verdict_service::cursor::{self, Cursor};

use super::{MISUSED, NOBODY, SIDES, assert_refused, json, stage, uuid};
use crate::common::runtime;

#[test]
fn bad_requests_get_their_status_and_are_told_what_is_accepted() {
    runtime().block_on(async {
        let stage = stage().await;
        let history = format!("{}?viewer={NOBODY}", stage.messages(0));
        let posts = format!("/users/{}/posts", stage.world.user(0));
        let nobodys = format!("/users/{NOBODY}/posts");
        let conversation = format!("/conversations/{}", stage.world.conversation(0).id);
        let search = format!("{conversation}/search?viewer={NOBODY}");
        let long_text = format!("&q={}", "x".repeat(1_001));
        let garbage = "0".repeat(32);
        let far = cursor::encode(&Cursor {
            created_at: chrono::DateTime::UNIX_EPOCH,
            id: uuid(NOBODY),
        });
        let gets = [
            (
                &*history,
                "&limit=-1",
                400,
                "`limit` is \"-1\": it is a whole number from 1",
            ),
            (&history, "&limit=0", 400, "whole number from 1"),
            (&history, "&limit=ten", 400, "whole number from 1"),
            (
                &history,
                "&limit=99999999999999999999",
                400,
                "whole number from 1",
            ),
            (&history, "&offset=-1", 400, "whole number from 0"),
            (&history, "&offset=", 400, "whole number from 0"),
            (&history, "&include_recalled=perhaps", 400, "true or false"),
            (&history, "&limit=5&limit=6", 400, "`limit` is given twice"),
            (
                &history,
                "&page=2",
                400,
                "viewer, limit, offset, include_recalled",
            ),
            (&stage.messages(0), "", 400, "`viewer` is missing"),
            (&stage.messages(0), "?viewer=me", 400, "UUID"),
            ("/conversations/first/messages", "?viewer=me", 400, "UUID"),
            ("/conversations/%ff/messages", "?viewer=me", 400, "UTF-8"),
            (
                &format!("/conversations/{NOBODY}/messages"),
                &format!("?viewer={NOBODY}"),
                404,
                "no such conversation",
            ),
            (
                &format!("/conversations/{NOBODY}/messages"),
                &format!("?viewer={NOBODY}&offset=9"),
                404,
                "no such conversation",
            ),
            (&nobodys, "", 404, NOBODY),
            (&posts, "?limit=-5", 400, "whole number from 1"),
            (&search, "", 400, "`q` is missing"),
            (
                &search,
                "&q=a&sort=best",
                400,
                "recent, oldest or relevance",
            ),
            (&search, "&q=a&limit=0", 400, "whole number from 1"),
            (&search, "&q=a&offset=-1", 400, "whole number from 0"),
            (
                &search,
                "&q=a&text=b",
                400,
                "viewer, q, limit, offset, sort",
            ),
            (&search, "&q=a%00b", 400, "character of code 0"),
            (&search, &long_text, 400, "at most 1000 characters"),
            (&search, "&q=a", 403, "members"),
            (
                &format!("/conversations/{NOBODY}/search"),
                &format!("?viewer={NOBODY}&q=a"),
                404,
                "no such conversation",
            ),
            (&conversation, "", 400, "`viewer` is missing"),
            (&conversation, "?viewer=me", 400, "UUID"),
            (
                &conversation,
                &format!("?viewer={NOBODY}&limit=1"),
                400,
                "viewer is",
            ),
            (&conversation, &format!("?viewer={NOBODY}"), 403, "members"),
            (
                &format!("/conversations/{NOBODY}"),
                &format!("?viewer={NOBODY}"),
                404,
                "no such conversation",
            ),
            ("/users/me/conversations", "", 400, "UUID"),
            (&format!("/users/{NOBODY}/conversations"), "", 404, NOBODY),
            (
                &format!("/users/{NOBODY}/conversations"),
                "?limit=1",
                400,
                "none is",
            ),
            ("/posts/first", "", 400, "UUID"),
            (&format!("/posts/{NOBODY}"), "", 404, NOBODY),
            (&format!("/posts/{NOBODY}"), "?viewer=1", 400, "none is"),
            ("/users", "", 404, "there is nothing at"),
        ];
        for side in SIDES {
            for (path, query, status, words) in gets {
                assert_refused(
                    stage
                        .get(&stage.service, &format!("/{side}{path}{query}"))
                        .await,
                    status,
                    words,
                );
            }
        }
        for (path, status, words) in [
            (format!("/optimized{posts}?offset=20"), 400, "`cursor`"),
            (
                format!("/optimized{posts}?cursor="),
                400,
                "`cursor` is not one",
            ),
            (
                format!("/optimized{posts}?cursor={garbage}!"),
                400,
                "`cursor` is not one",
            ),
            (
                format!("/optimized{posts}?cursor=gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
                400,
                "`cursor` is not one",
            ),
            (format!("/optimized{nobodys}?cursor={far}"), 404, NOBODY),
            (format!("/baseline{posts}?cursor={far}"), 400, "`offset`"),
            (
                format!("/baseline{posts}?offset=-20"),
                400,
                "whole number from 0",
            ),
            ("/".to_owned(), 404, "there is nothing at /"),
        ] {
            assert_refused(stage.get(&stage.service, &path).await, status, words);
        }
        let long = format!("/{}", "x".repeat(9_000));
        let (status, body) = stage.get(&stage.service, &long).await;
        assert!(status == 404 && body.len() < 1_000, "{} bytes", body.len());
        // A cursor beyond the last post is a page without posts, not an unknown user.
        let end = stage.read(&format!("/optimized{posts}?cursor={far}")).await;
        assert_eq!(end, json!({ "posts": [], "next": null }));
    });
}

#[test]
fn bad_bodies_get_their_status_and_are_told_what_is_accepted() {
    runtime().block_on(async {
        let stage = stage().await;
        let sender = stage.speaker(MISUSED);
        let message = |content: &str| json!({ "sender": sender, "content": content }).to_string();
        let nowhere = format!("/conversations/{NOBODY}/messages");
        for side in SIDES {
            for (path, body, status, words) in [
                (
                    stage.messages(MISUSED),
                    "hello".to_owned(),
                    400,
                    "JSON object with `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    String::new(),
                    400,
                    "JSON object with `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "content": "hello" }).to_string(),
                    400,
                    "missing field `sender`",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "sender": "me", "content": "hello" }).to_string(),
                    400,
                    "UUID",
                ),
                (
                    stage.messages(MISUSED),
                    json!({ "sender": sender, "text": "hello" }).to_string(),
                    400,
                    "`text`",
                ),
                (
                    stage.messages(MISUSED),
                    message("hel\0lo"),
                    400,
                    "character of code 0",
                ),
                (
                    stage.messages(MISUSED),
                    message(&"x".repeat(65 * 1024)),
                    413,
                    "at most 64 KiB",
                ),
                (
                    nowhere.clone(),
                    message("hello"),
                    404,
                    "no such conversation",
                ),
                (
                    format!("/users/{NOBODY}/posts"),
                    String::new(),
                    405,
                    "POST is not for",
                ),
            ] {
                let path = format!("/{side}{path}");
                assert_refused(
                    stage.post(stage.service.url(), &path, body).await,
                    status,
                    words,
                );
            }
        }
        let (status, answer) = stage
            .post(
                stage.service.url(),
                &format!("/baseline{}", stage.messages(MISUSED)),
                message(&"x".repeat(63 * 1024)),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
    });
}
