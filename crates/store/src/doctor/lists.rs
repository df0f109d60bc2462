//! The catalogue, the directory and the list of admins. They may hold too much. What a list holds that cannot
//! be read fails each page on which it stands, and a score that is not 0 brings the list out of order.

use deadpool_redis::redis::Pipeline;
use domain::{AdminId, UserId};

use super::look::Page;
use super::report::Problems;
use super::{Crew, Examination, STEP};
use crate::error::Result;
use crate::keys::{self, PARTS, part_of};
use crate::records::catalogue_member;

/// Whose id a member names, if it can be read.
type IdOf = fn(&str) -> Option<String>;

impl Examination {
    pub(super) async fn examine_lists(&self, crew: &mut Crew) -> Result<()> {
        let competition: IdOf = |member| catalogue_member::parse_id(member).ok().map(String::from);
        let user: IdOf = |member| UserId::parse(member).ok().map(String::from);
        let admin: IdOf = |member| AdminId::parse(member).ok().map(String::from);
        for part in 0..PARTS {
            let lists = [
                (keys::catalogue(part), competition),
                (keys::directory(part), user),
            ];
            for (key, id_of) in lists {
                let examination = self.clone();
                let examine =
                    async move { examination.examine_list(&key, id_of, Some(part)).await };
                crew.begin(examine).await?;
            }
        }
        let examination = self.clone();
        let examine = async move { examination.examine_list(keys::ADMINS, admin, None).await };
        crew.begin(examine).await
    }

    async fn examine_list(&self, key: &str, id_of: IdOf, part: Option<u8>) -> Result<Problems> {
        let mut problems = Problems::default();
        let mut cursor = 0_u64;
        loop {
            let mut scan = Pipeline::with_capacity(1);
            scan.cmd("ZSCAN")
                .arg(key)
                .arg(cursor)
                .arg("COUNT")
                .arg(STEP);
            let page: Page<(Vec<u8>, f64)> = self.look(&scan).await?.read();
            // Of a wrong type: named by the walk.
            let Some((next, members)) = page else {
                return Ok(problems);
            };
            if key.starts_with("directory") {
                let ids = members.iter().map(|(member, _)| member.as_slice());
                self.seen.directory.extend(ids);
            }
            for (member, score) in members {
                let id = str::from_utf8(&member).ok().and_then(id_of);
                let subject = format!("key {key}");
                match id {
                    None => problems.find(subject, "holds a member that cannot be read"),
                    Some(id) if part.is_some_and(|part| part != part_of(&id)) => {
                        problems.find(
                            subject,
                            format!("holds {id}, which belongs in another part"),
                        );
                    }
                    Some(id) if score != 0.0 => {
                        problems.find(subject, format!("holds {id} out of order"));
                    }
                    Some(_) => {}
                }
            }
            cursor = next;
            if cursor == 0 {
                return Ok(problems);
            }
        }
    }
}
