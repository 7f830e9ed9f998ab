//! Maildir and Maildir++; atomic file work in one place; a memory store for tests.
