//! What sessions of one mailbox share, and in which order they are served.

use futures::FutureExt;
use tokio_util::sync::CancellationToken;

use super::*;

fn allowance(parallel: usize) -> Allowance {
    Allowance { parallel, rates: Vec::new() }
}

fn call(seconds: u64) -> Call {
    Call::new(CancellationToken::new(), CancellationToken::new(), Duration::from_secs(seconds))
}

/// The slot of a request, if it has one already.
fn taken(ticket: &mut Ticket) -> Option<Slot> {
    ticket.now_or_never().flatten()
}

#[test]
fn what_a_description_says_is_kept_within_reason() {
    let limits = |text: &str| Allowance::of(&serde_json::from_str(text).unwrap());
    assert_eq!(limits("{}"), allowance(4));
    let none = limits(r#"{"parallelRequests": 0, "requestsPerMinute": 0}"#);
    assert_eq!(none, Allowance { parallel: 1, rates: vec![(1, Duration::from_secs(60))] });
    let many =
        limits(r#"{"parallelRequests": 4294967295, "requestRates": [{"requests": 9, "seconds": 600}]}"#);
    assert_eq!(many, Allowance { parallel: 64, rates: vec![(9, Duration::from_secs(600))] });
}

#[test]
fn sessions_take_turns_and_a_session_keeps_its_order() {
    let (governors, account) = (Governors::default(), AccountId::generate());
    let import = governors.admit(account, &allowance(1));
    let question = governors.admit(account, &allowance(1));
    let mut waiting: Vec<Ticket> = (0..100).map(|_| governors.queue(account, import).unwrap()).collect();
    let mut asked = governors.queue(account, question).unwrap();
    let first = taken(&mut waiting[0]).expect("a slot is free");
    assert!(taken(&mut waiting[1]).is_none() && taken(&mut asked).is_none());
    drop(first);
    let second = taken(&mut waiting[1]).expect("it came first");
    drop(second);
    // 98 requests came before it, of one session.
    assert!(taken(&mut waiting[2]).is_none());
    drop(taken(&mut asked).expect("it is this session's turn"));
    assert!(taken(&mut waiting[2]).is_some());
}

#[test]
fn a_request_that_is_given_up_takes_no_slot() {
    let (governors, account) = (Governors::default(), AccountId::generate());
    let session = governors.admit(account, &allowance(1));
    let mut tickets: Vec<Ticket> = (0..3).map(|_| governors.queue(account, session).unwrap()).collect();
    // Given a slot, and never looked at.
    let mut last = tickets.pop().unwrap();
    drop(tickets.remove(0));
    drop(tickets);
    assert!(taken(&mut last).is_some());
}

#[tokio::test]
async fn accounts_on_one_mailbox_share_slots_and_pauses_once_it_is_known() {
    let governors = Governors::default();
    let [first, second] = [AccountId::generate(), AccountId::generate()];
    let sessions = [first, second].map(|account| governors.admit(account, &allowance(1)));
    let slot = taken(&mut governors.queue(first, sessions[0]).unwrap()).unwrap();
    let other = taken(&mut governors.queue(second, sessions[1]).unwrap()).expect("nothing is known yet");
    let mut waiting = governors.queue(second, sessions[1]).unwrap();
    governors.learned(first, "probe", "Info@Example.com");
    governors.learned(second, "probe", "info@example.com ");
    assert!(governors.is_known(first) && governors.is_known(second));
    drop(other);
    assert!(taken(&mut waiting).is_none(), "it waits with everybody on that mailbox");
    let pause = slot.pause(Instant::now(), Some(Duration::from_secs(30)));
    assert!(pause > Duration::from_secs(20));
    drop(slot);
    let slot = taken(&mut waiting).unwrap();
    let error = slot.clearance(1, &call(5)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    assert!((20_000..=30_000).contains(&error.retry_after_ms.unwrap()), "{error:?}");
    // Another connector's mailbox of that name is another service's.
    let third = AccountId::generate();
    let session = governors.admit(third, &allowance(1));
    governors.learned(third, "other", "info@example.com");
    let slot = taken(&mut governors.queue(third, session).unwrap()).unwrap();
    slot.clearance(1, &call(5)).await.unwrap();
}

#[tokio::test]
async fn an_account_that_moves_to_another_mailbox_leaves_the_others_alone() {
    let governors = Governors::default();
    let [first, second] = [AccountId::generate(), AccountId::generate()];
    let sessions = [first, second].map(|account| governors.admit(account, &allowance(1)));
    for account in [first, second] {
        governors.learned(account, "probe", "info@example.com");
    }
    let slot = taken(&mut governors.queue(first, sessions[0]).unwrap()).unwrap();
    assert!(taken(&mut governors.queue(second, sessions[1]).unwrap()).is_none());
    governors.learned(second, "probe", "sales@example.com");
    slot.pause(Instant::now(), Some(Duration::from_secs(30)));
    let free = taken(&mut governors.queue(second, sessions[1]).unwrap()).expect("another mailbox");
    free.clearance(1, &call(5)).await.unwrap();
}

#[tokio::test]
async fn a_pause_is_for_everybody_and_ends() {
    let (governors, account) = (Governors::default(), AccountId::generate());
    let session = governors.admit(account, &allowance(2));
    let [one, two] = [(); 2].map(|()| taken(&mut governors.queue(account, session).unwrap()).unwrap());
    let begun = Instant::now();
    one.pause(begun, Some(Duration::from_millis(300)));
    two.clearance(1, &call(60)).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(300));
    one.pause(Instant::now(), Some(Duration::from_secs(3600)));
    let error = two.clearance(1, &call(7200)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled, "the job waits, and not the session");
}

#[test]
fn refusals_of_what_was_under_way_together_count_once() {
    let governor = Governor::new(&allowance(4));
    let sent = Instant::now();
    for _ in 0..50 {
        governor.pause(sent, None);
    }
    assert_eq!(governor.usage().strikes, 1);
    let again = Instant::now();
    governor.pause(again, None);
    assert_eq!(governor.usage().strikes, 2);
    governor.calm(sent);
    assert_eq!(governor.usage().strikes, 2, "it was sent before the refusal");
    governor.calm(Instant::now());
    assert_eq!(governor.usage().strikes, 0);
}

#[tokio::test]
async fn a_stop_ends_the_wait() {
    let governor = Governor::new(&allowance(1));
    governor.pause(Instant::now(), Some(Duration::from_secs(30)));
    let call = call(60);
    call.cancel.cancel();
    assert_eq!(governor.clearance(1, &call).await.unwrap_err().kind, ErrorKind::Cancelled);
}
