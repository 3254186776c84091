//! Item 12 on a real engine: what ours does with connections that die unseen.

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use sqlx::types::Uuid;
use verdict_baseline::message_send::unsend;
use verdict_baseline::pool::{self as today, Message, PageRequest};
use verdict_baseline::{Error, Refused};
use verdict_optimized::pool as ours;

use crate::common::{engines, runtime};

/// A pool with our settings on a database of a test's own, and a connection beside it.
struct Scene {
    pool: PgPool,
    beside: PgPool,
    conversation: Uuid,
    member: Uuid,
}

impl Scene {
    async fn new(role: &str) -> Self {
        Self::with(role, ours::options(PgPoolOptions::new())).await
    }

    /// The same with one connection, which nobody asks whether it lives before it is lent.
    async fn unasked(role: &str) -> Self {
        let options = ours::options(PgPoolOptions::new());
        let one = options.min_connections(0).max_connections(1);
        let lent = one.before_acquire(|_, _| Box::pin(async { Ok(true) }));
        Self::with(role, lent).await
    }

    async fn with(role: &str, options: PgPoolOptions) -> Self {
        let side = engines().await.sandbox(role).await.unwrap();
        let endpoint = &side.endpoints().postgres;
        let one = PgPoolOptions::new().max_connections(1);
        let beside = one.connect_with(endpoint.clone()).await.unwrap();
        let pool = options.connect_with(endpoint.clone()).await.unwrap();
        let of = "SELECT conversation_id, user_id
            FROM conversation_members
            JOIN messages USING (conversation_id)
            LIMIT 1";
        let (conversation, member) = sqlx::query_as(of).fetch_one(&beside).await.unwrap();
        Self {
            pool,
            beside,
            conversation,
            member,
        }
    }

    fn page(&self) -> PageRequest {
        PageRequest {
            conversation: self.conversation,
            viewer: self.member,
            limit: 20,
            offset: 0,
            include_recalled: true,
        }
    }

    fn message(&self) -> Message {
        Message {
            id: Uuid::new_v4(),
            conversation: self.conversation,
            sender: self.member,
            content: "sent while connections die".to_owned(),
            idempotency_key: None,
        }
    }

    /// Ends every connection of the pool, all of them idle.
    async fn kill(&self) {
        let due = self.pool.options().get_min_connections().max(1);
        while self.pool.num_idle() < due as usize {
            tokio::task::yield_now().await;
        }
        let mut left = 1_i64;
        while left > 0 {
            left = sqlx::query_scalar(
                "SELECT COUNT(*) FILTER (WHERE pg_terminate_backend(pid))
                FROM pg_stat_activity
                WHERE datname = CURRENT_DATABASE()
                  AND backend_type = 'client backend'
                  AND pid <> pg_backend_pid()",
            )
            .fetch_one(&self.beside)
            .await
            .unwrap();
        }
    }

    async fn stored(&self, message: &Message) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM messages WHERE id = $1")
            .bind(message.id)
            .fetch_one(&self.beside)
            .await
            .unwrap()
    }
}

#[test]
fn a_call_whose_connection_has_died_is_made_again_and_a_message_is_stored_once() {
    runtime().block_on(async {
        let scene = Scene::unasked("pool_lost").await;
        let (pool, page) = (&scene.pool, scene.page());
        let due = ours::page(pool, &page).await.unwrap();
        assert!(!due.is_empty());
        scene.kill().await;
        let lent = today::page(pool, &page).await;
        assert!(matches!(lent, Err(Error::Postgres(_))), "{lent:?}");
        ours::page(pool, &page).await.unwrap();

        scene.kill().await;
        assert_eq!(ours::page(pool, &page).await.unwrap().len(), due.len());
        let message = scene.message();
        ours::page(pool, &page).await.unwrap();
        scene.kill().await;
        let sent = ours::send(pool, &message).await.unwrap();
        assert_eq!(sent.id, message.id);
        assert_eq!(scene.stored(&message).await, 1);
        let taken = unsend(&scene.beside, scene.conversation, &[message.id]).await;
        assert_eq!(taken.unwrap(), 1);
    });
}

#[test]
fn what_died_while_it_lay_idle_is_not_lent() {
    runtime().block_on(async {
        let scene = Scene::new("pool_idle").await;
        ours::page(&scene.pool, &scene.page()).await.unwrap();
        scene.kill().await;
        tokio::time::sleep(ours::DOUBTED + ours::DOUBTED / 10).await;
        // Called as today's, so that nothing is made again.
        for _ in 0..2 * ours::CONNECTIONS {
            today::page(&scene.pool, &scene.page()).await.unwrap();
        }
    });
}

#[test]
fn a_message_whose_answer_was_lost_is_numbered_and_another_under_its_id_is_refused() {
    runtime().block_on(async {
        let scene = Scene::new("pool_again").await;
        let mut connection = scene.pool.acquire().await.unwrap();
        let message = scene.message();
        let sent = ours::send(&scene.pool, &message).await.unwrap();
        let again = ours::send_again(&mut connection, &message).await.unwrap();
        assert_eq!(again, sent);
        assert_eq!(scene.stored(&message).await, 1);
        let other = Message {
            content: "another".to_owned(),
            ..message.clone()
        };
        let refused = ours::send_again(&mut connection, &other).await;
        let duplicate = matches!(refused, Err(Error::Refused(Refused::Duplicate)));
        assert!(duplicate, "{refused:?}");
        // A first attempt that stored nothing.
        let fresh = scene.message();
        ours::send_again(&mut connection, &fresh).await.unwrap();
        assert_eq!(scene.stored(&fresh).await, 1);
        let ids = [message.id, fresh.id];
        let taken = unsend(&scene.beside, scene.conversation, &ids).await;
        assert_eq!(taken.unwrap(), 2);
    });
}
