//! The catalogue, the directory and the list of admins. They may list too much. But a member that
//! cannot be parsed fails each page that contains it, and a score other than 0 breaks the order.

use domain::{AdminId, UserId};
use store::keys::{Key, SHARDS, shard_of};
use store::records::catalogue_member;

use crate::reading::Scan;
use crate::tasks::Tasks;
use crate::{Examination, Finding, Result};

/// Starts the checks of all lists.
pub(crate) async fn check(examination: &Examination, tasks: &mut Tasks) -> Result<()> {
    let shards = (0..SHARDS).flat_map(|shard| [Key::Catalogue(shard), Key::Directory(shard)]);
    for list in shards.chain([Key::Admins]) {
        let examination = examination.clone();
        tasks
            .spawn(async move { check_list(&examination, &list).await })
            .await?;
    }
    Ok(())
}

async fn check_list(examination: &Examination, list: &Key) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut scan = Scan::sorted_set(list.name());
    while let Some(members) = scan.next_page::<(Vec<u8>, f64)>(examination).await? {
        if matches!(list, Key::Directory(_)) {
            let ids = members.iter().map(|(member, _)| member.as_slice());
            examination.seen.directory.extend(ids);
        }
        let problems = members
            .iter()
            .filter_map(|(member, score)| find_problem(list, member, *score));
        findings.extend(
            problems.map(|problem| Finding::broken(format!("key {}", list.name()), problem)),
        );
    }
    Ok(findings)
}

fn find_problem(list: &Key, member: &[u8], score: f64) -> Option<String> {
    let Some(id) = str::from_utf8(member)
        .ok()
        .and_then(|text| parse_id(list, text))
    else {
        // The member is not shown: it may be personal data.
        return Some("contains an invalid member".to_owned());
    };
    let expected = match list {
        Key::Catalogue(_) => Key::Catalogue(shard_of(&id)),
        Key::Directory(_) => Key::Directory(shard_of(&id)),
        list => list.clone(),
    };
    if expected != *list {
        return Some(format!(
            "contains {id}, which belongs in {}",
            expected.name()
        ));
    }
    (score != 0.0).then(|| format!("contains {id} with the score {score} instead of 0"))
}

/// The id in a member of a list.
fn parse_id(list: &Key, member: &str) -> Option<String> {
    match list {
        Key::Catalogue(_) => catalogue_member::parse_id(member).ok().map(String::from),
        Key::Directory(_) => UserId::parse(member).ok().map(String::from),
        _ => AdminId::parse(member).ok().map(String::from),
    }
}
