"""The main story, through the stubs of another language."""

import story


def test_the_first_on_the_waitlist_is_promoted_when_a_user_withdraws(admin_channel, user_channel, owner):
    story.run(admin_channel, user_channel, owner)
