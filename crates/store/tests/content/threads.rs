//! Threads: strict order whoever writes at the same time, windows, searches, retention.
use runstone_model::ids::{MessageId, ThreadId};
use runstone_store::{
    Total, Walk,
    thread::{Message, NewMessage, ThreadText},
};
use runstone_testkit::on_every_database;

use crate::{Content, at, fresh_id, grown};

fn message(text: &str) -> NewMessage {
    NewMessage {
        id: MessageId(fresh_id()),
        role: "user".to_owned(),
        name: None,
        run: None,
        content: format!("\"{text}\""),
        text: text.to_owned(),
        metadata: None,
    }
}

async fn thread(db: &Content, retain_ms: Option<i64>) -> ThreadId {
    let text = ThreadText {
        title: "Talk".to_owned(),
        metadata: Some("{\"a\":1}".to_owned()),
        retain_ms,
    };
    let id = ThreadId(fresh_id());
    db.store
        .create_thread(db.project, id, text, at(5))
        .await
        .unwrap()
        .id
}

async fn add(db: &Content, id: ThreadId, texts: &[&str], now: i64) -> Vec<Message> {
    let messages = texts.iter().map(|text| message(text)).collect();
    let added = db
        .store
        .append_messages(db.project, id, messages, at(now))
        .await;
    added.unwrap().unwrap()
}

fn seqs(messages: &[Message]) -> Vec<i64> {
    messages.iter().map(|message| message.seq).collect()
}

on_every_database! {
    async fn many_writers_at_once_leave_no_gap_and_no_double(db: &Content) {
        let id = thread(db, None).await;
        let writers: Vec<_> = (0..32)
            .map(|writer| {
                let (store, project) = (db.store.clone(), db.project);
                tokio::spawn(async move {
                    let mut added = Vec::new();
                    for n in 0..4 {
                        let two = vec![message(&format!("{writer} {n} a")), message("b")];
                        let two = store.append_messages(project, id, two, at(10)).await;
                        added.push(two.unwrap().unwrap());
                    }
                    added
                })
            })
            .collect();
        let mut added = Vec::new();
        for writer in writers {
            let mine = writer.await.unwrap();
            // Each writer's own messages are in the order in which it wrote them, pairs together.
            assert!(mine.windows(2).all(|two| two[0][1].seq < two[1][0].seq));
            assert!(mine.iter().all(|pair| pair[0].seq + 1 == pair[1].seq));
            added.extend(mine.into_iter().flatten());
        }
        added.sort_by_key(|message| message.seq);
        assert_eq!(seqs(&added), (1..=256).collect::<Vec<_>>());
        let read = db.store.messages(db.project, id, Walk::up(500)).await.unwrap().found;
        assert_eq!(read, added);
        let thread = db.store.thread(db.project, id).await.unwrap().unwrap();
        assert_eq!(thread.last_seq, 256);
    }

    async fn a_window_goes_either_way(db: &Content) {
        let id = thread(db, None).await;
        add(db, id, &["one", "two", "three", "four"], 10).await;
        let page = async |walk| db.store.messages(db.project, id, walk).await.unwrap().found;
        assert_eq!(seqs(&page(Walk::up(2).beyond(1)).await), [2, 3]);
        assert_eq!(seqs(&page(Walk::down(3)).await), [4, 3, 2]);
        assert_eq!(seqs(&page(Walk::down(3).beyond(2)).await), [1]);
        assert_eq!(db.store.count_messages(db.project, id).await.unwrap(), 4);
        let two = db.store.message(db.project, id, 2).await.unwrap().unwrap();
        assert_eq!((two.content.as_str(), two.created_at), ("\"two\"", at(10)));
        assert_eq!(db.store.message(db.project, id, 9).await.unwrap(), None);
    }

    async fn a_thread_is_changed_by_who_has_read_it_and_removed_with_its_messages(db: &Content) {
        let id = thread(db, None).await;
        add(db, id, &["one"], 10).await;
        let text = ThreadText { title: "New".to_owned(), ..ThreadText::default() };
        let change = |version| db.store.update_thread(db.project, id, version, text.clone(), at(20));
        assert!(change(1).await.unwrap());
        assert!(!change(1).await.unwrap());
        let read = db.store.thread(db.project, id).await.unwrap().unwrap();
        assert_eq!((read.title.as_str(), read.metadata, read.version), ("New", None, 2));
        assert_eq!(db.store.threads(db.project, &Walk::down(10)).await.unwrap().len(), 1);
        assert_eq!(db.store.threads(db.project, &Walk::down(10).beyond(id)).await.unwrap(), []);
        assert_eq!(db.store.count_threads(db.project).await.unwrap(), 1);
        assert!(db.store.delete_thread(db.project, id).await.unwrap());
        assert!(!db.store.delete_thread(db.project, id).await.unwrap());
        assert_eq!(db.store.messages(db.project, id, Walk::up(10)).await.unwrap().found, []);
        let lost = db.store.append_messages(db.project, id, vec![message("x")], at(30)).await;
        assert_eq!(lost.unwrap(), None);
    }

    async fn messages_are_found_in_a_thread_and_in_a_project(db: &Content) {
        let (one, two) = (thread(db, None).await, thread(db, None).await);
        add(db, one, &["Hello Ärger", "nothing", "50% off"], 10).await;
        add(db, two, &["hello again"], 11).await;
        let here = db.store.search_messages(db.project, one, "HELLO ä", Walk::down(10)).await.unwrap().found;
        assert_eq!(seqs(&here), [1]);
        let percent = db.store.search_messages(db.project, one, "%", Walk::up(10)).await.unwrap().found;
        assert_eq!(seqs(&percent), [3]);
        let all = db.store.search_project_messages(db.project, "hello", Walk::down(10)).await.unwrap().found;
        assert_eq!(all.iter().map(|m| m.thread).collect::<Vec<_>>(), [two, one]);
        let older = Walk::down(10).beyond(all[0].id);
        let next = db.store.search_project_messages(db.project, "hello", older).await.unwrap().found;
        assert_eq!(next.len(), 1);
        let total = async |thread| db.store.count_found_messages(db.project, thread, "hello").await.unwrap();
        assert_eq!((total(None).await, total(Some(one)).await), (Total::Is(2), Total::Is(1)));
        let stats = db.store.thread_stats(db.project, one).await.unwrap();
        assert_eq!((stats.len(), stats[0].messages, stats[0].first_seq), (1, 3, 1));
        assert_eq!((stats[0].bytes, stats[0].last_at), (14 + 9 + 9, at(10)));
    }

    async fn pages_of_large_messages_are_short_and_searches_end(db: &Content) {
        let id = thread(db, None).await;
        add(db, id, &["needle"], 10).await;
        for n in 0..70 {
            add(db, id, &[&format!("hay {n}")], 10).await;
        }
        // As if they had 1 MiB each.
        grown(&db.store, "messages").await;
        add(db, id, &["needle"], 10).await;
        let (store, project) = (&db.store, db.project);
        // A page is 4 MiB, or a little more.
        let (mut walk, mut read, mut pages) = (Walk::up(100), Vec::new(), 0);
        loop {
            let page = store.messages(project, id, walk.clone()).await.unwrap();
            assert!(page.found.iter().map(|message| message.bytes).sum::<i64>() < 9 << 20);
            read.extend(seqs(&page.found));
            pages += 1;
            let Some(reached) = page.reached else { break };
            assert_eq!(Some(&reached), read.last());
            walk.beyond = Some(reached);
        }
        assert_eq!(read, (1..=72).collect::<Vec<_>>());
        assert!((9..=25).contains(&pages), "{pages}");
        let first = store.search_messages(project, id, "needle", Walk::down(10)).await.unwrap();
        assert_eq!(seqs(&first.found), [72]);
        let rest = Walk::down(10).beyond(first.reached.unwrap());
        let rest = store.search_messages(project, id, "needle", rest).await.unwrap();
        assert_eq!((seqs(&rest.found), rest.reached), (vec![1], None));
        let first = store.search_project_messages(project, "needle", Walk::up(10)).await.unwrap();
        assert_eq!(seqs(&first.found), [1]);
        let rest = Walk::up(10).beyond(first.reached.unwrap());
        let rest = store.search_project_messages(project, "needle", rest).await.unwrap();
        assert_eq!((seqs(&rest.found), rest.reached), (vec![72], None));
        for thread in [None, Some(id)] {
            let counted = store.count_found_messages(project, thread, "needle").await.unwrap();
            assert!(matches!(counted, Total::TooMany(_)), "{counted:?}");
        }
        // What was added together is read together, however large.
        let together = store.messages_together(project, id, (2, 70)).await.unwrap();
        assert_eq!(seqs(&together), (2..=71).collect::<Vec<_>>());
    }

    async fn another_project_reads_and_writes_nothing(db: &Content) {
        let id = thread(db, None).await;
        add(db, id, &["hello"], 10).await;
        let (store, other) = (&db.store, db.other);
        assert_eq!(store.thread(other, id).await.unwrap(), None);
        assert_eq!(store.threads(other, &Walk::down(10)).await.unwrap(), []);
        assert_eq!(store.messages(other, id, Walk::up(10)).await.unwrap().found, []);
        assert_eq!(store.message(other, id, 1).await.unwrap(), None);
        assert_eq!(store.search_messages(other, id, "hello", Walk::down(10)).await.unwrap().found, []);
        assert_eq!(store.search_project_messages(other, "hello", Walk::down(10)).await.unwrap().found, []);
        assert_eq!(store.thread_stats(other, id).await.unwrap(), []);
        assert_eq!(store.append_messages(other, id, vec![message("x")], at(20)).await.unwrap(), None);
        assert!(!store.update_thread(other, id, 1, ThreadText::default(), at(20)).await.unwrap());
        assert!(!store.delete_thread(other, id).await.unwrap());
    }

    async fn more_messages_than_a_portion_go_with_their_thread(db: &Content) {
        let (old, gone) = (thread(db, Some(1)).await, thread(db, None).await);
        let texts = ["x"; 500];
        for id in [old, gone] {
            for _ in 0..3 {
                add(db, id, &texts, 1_000_000).await;
            }
        }
        add(db, old, &["new"], 2_000_000).await;
        let pruned = db.store.prune_messages(at(2_000_500), 10).await.unwrap();
        assert_eq!((pruned.threads, pruned.messages), (1, 1_500));
        let left = db.store.messages(db.project, old, Walk::up(10)).await.unwrap().found;
        assert_eq!(seqs(&left), [1_501]);
        assert!(db.store.delete_thread(db.project, gone).await.unwrap());
        assert_eq!(db.store.thread(db.project, gone).await.unwrap(), None);
    }

    async fn old_messages_go_and_numbers_stay(db: &Content) {
        let (short, long) = (thread(db, Some(1)).await, thread(db, None).await);
        for id in [short, long] {
            add(db, id, &["old"], 1_000_000).await;
            add(db, id, &["new"], 2_000_000).await;
        }
        let pruned = db.store.prune_messages(at(2_000_500), 10).await.unwrap();
        assert_eq!((pruned.threads, pruned.messages, pruned.more), (1, 1, false));
        let again = db.store.prune_messages(at(2_000_500), 10).await.unwrap();
        assert_eq!((again.threads, again.messages), (0, 0));
        let left = db.store.messages(db.project, short, Walk::up(10)).await.unwrap().found;
        assert_eq!(seqs(&left), [2]);
        assert_eq!(seqs(&add(db, short, &["next"], 2_000_600).await), [3]);
        let kept = db.store.messages(db.project, long, Walk::up(10)).await.unwrap().found;
        assert_eq!(seqs(&kept), [1, 2]);
    }
}
