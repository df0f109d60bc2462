//! The claim of an e-mail address: `<account id>` if the account has the address, or
//! `pending:<account id>:<nonce>` for ten minutes while the account is being created. The scripts
//! write it: see `scripts/claim_email.lua`.

const PENDING: &str = "pending:";

/// A claim as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmailClaim {
    /// The account is being created. Its id is empty if the claim is malformed.
    Pending { account: String },
    /// The account has the address.
    Owned { account: String },
}

impl EmailClaim {
    /// Parses a claim. The id of the account is not checked.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let Some(pending) = text.strip_prefix(PENDING) else {
            return Self::Owned {
                account: text.to_owned(),
            };
        };
        let account = pending.split_once(':').map_or("", |(account, _)| account);
        Self::Pending {
            account: account.to_owned(),
        }
    }

    /// Whether this account has the address or is being created with it.
    #[must_use]
    pub fn is_of(&self, id: &str) -> bool {
        let (Self::Pending { account } | Self::Owned { account }) = self;
        account == id
    }

    /// The account that has the address.
    #[must_use]
    pub fn owner(self) -> Option<String> {
        match self {
            Self::Pending { .. } => None,
            Self::Owned { account } => Some(account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_of_the_account_that_it_names_pending_or_not() {
        let is_of_ada = |text| EmailClaim::parse(text).is_of("ada");
        assert!(is_of_ada("ada"));
        assert!(is_of_ada("pending:ada:nonce"));
        for other in [
            "ben",
            "pending:adam:nonce",
            "pending:ben:ada",
            "pending:ada",
        ] {
            assert!(!is_of_ada(other), "{other}");
        }
    }
}
