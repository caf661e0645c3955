"""Who may do what, and when: callers, the role table, working hours, passwords and keys. No SQL here."""
