"""IMAP clients that change a mailbox while messages in it are replaced. Says on standard output, as JSON, what the server
confirmed; ends with an error where a session broke, or a command was refused for another reason than that the message is gone.

usage: imap_clients.py PORT ACCOUNT MAILDIR; "ready" is printed once they are at work; they end when standard input does.

Every message has a number: the time that leads its file's name. What happened to a name is looked up on the disk: a flag counts
as confirmed once the server said OK and a file of that number bears its letter, or the session was never told that the message
under that UID is gone. A message counts as expunged once the server said VANISHED in answer to the EXPUNGE of its UID. It says so
too of a UID that somebody else removed a moment ago: whether a file of that number was there after the answer is told beside it.
Nothing is swept up at the end. Each act has the times at which it began and ended, in seconds since 1970.
"""

import json
import os
import random
import re
import socket
import sys
import threading
import time

PORT, ACCOUNT, MAILDIR = int(sys.argv[1]), sys.argv[2], sys.argv[3]
STOP = threading.Event()
# A client at work without a rest would have moved everything before the run comes to it.
PAUSE = 0.005
# All kinds in turn, so that each comes soon.
ROUND = ["flag", "keyword", "move", "flag", "keyword", "copy", "flag", "keyword", "expunge", "append"]
LETTERS = {"\\Flagged": "F", "\\Answered": "R", "\\Seen": "S", "\\Draft": "D", "\\Deleted": "T"}
KEYWORDS = ["$Forwarded", "Work", "Later", "Junk"]


class Session:
    """One connection that knows which UIDs are there, by QRESYNC (RFC 7162)."""

    def __init__(self, mailbox):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=120)
        self.buffer, self.tag, self.leaving = b"", 0, False
        self.numbers, self.gone = {}, set()
        assert self.line().startswith(b"* OK")
        self.ok(f"LOGIN {ACCOUNT} secret")
        self.ok("ENABLE QRESYNC")
        self.ok(f"SELECT {mailbox}")

    def line(self):
        whole = b""
        while True:
            while b"\r\n" not in self.buffer:
                self.fill()
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            whole += line
            literal = re.search(rb"\{(\d+)\}$", line)
            if not literal:
                return whole
            size = int(literal[1])
            while len(self.buffer) < size:
                self.fill()
            whole, self.buffer = whole + b"\r\n" + self.buffer[:size], self.buffer[size:]

    def fill(self):
        more = self.socket.recv(65536)
        if not more:
            raise EOFError("the server hung up")
        self.buffer += more

    def see(self, line):
        if line.startswith(b"* BYE") and not self.leaving:
            raise EOFError(line.decode())
        vanished = re.match(rb"\* VANISHED (?:\(EARLIER\) )?([\d:,]+)", line)
        if vanished:
            gone = uids(vanished[1].decode())
            self.gone.update(gone)
            for uid in gone:
                self.numbers.pop(uid, None)
        fetched, number = re.search(rb"UID (\d+)", line), re.search(rb"Subject: Letter (\d+)", line)
        if fetched and number:
            self.numbers[int(fetched[1])] = int(number[1])

    def command(self, text, literal=None):
        """The untagged lines and the tagged one."""
        self.tag += 1
        tag = b"t%d " % self.tag
        self.socket.sendall(tag + text.encode() + b"\r\n")
        if literal is not None:
            assert self.line().startswith(b"+")
            self.socket.sendall(literal + b"\r\n")
        lines = []
        while True:
            line = self.line()
            if line.startswith(tag):
                answer = line[len(tag):].decode()
                allowed = answer.startswith("OK") or re.match(r"NO \[EXPUNGEISSUED\]", answer)
                assert allowed, f"{text}: {answer}"
                for gone in uids_in(answer, "VANISHED"):
                    self.gone.add(gone)
                return lines, answer
            self.see(line)
            lines.append(line)

    def ok(self, text, literal=None):
        lines, answer = self.command(text, literal)
        assert answer.startswith("OK"), f"{text}: {answer}"
        return lines, answer

    def leave(self):
        self.leaving = True
        self.ok("LOGOUT")

    def refresh(self):
        """Learns the numbers of messages that are new."""
        self.ok("NOOP")
        after = max([0, *self.numbers, *self.gone]) + 1
        self.command(f"UID FETCH {after}:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for uid in self.gone:
            self.numbers.pop(uid, None)


def uids(text):
    found = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


def uids_in(text, word):
    found = re.search(word + r" ([\d:,]+)", text)
    return uids(found[1]) if found else []


def copied(lines, answer):
    """Did COPYUID say that the message was copied?"""
    return any("COPYUID" in line for line in [*(line.decode("latin-1") for line in lines), answer])


def letters_of(number, folder=""):
    """The letters of every file of that number in a mailbox."""
    names = []
    for part in ("cur", "new"):
        names += os.listdir(os.path.join(MAILDIR, folder, part))
    return [name.partition(":2,")[2] for name in names if name.startswith(f"{number}.")]


def letter_of(flag):
    if flag in LETTERS:
        return LETTERS[flag]
    with open(os.path.join(MAILDIR, "dovecot-keywords")) as file:
        known = dict(reversed(line.split()) for line in file)
    return chr(ord("a") + int(known[flag])) if flag in known else None


def is_there(number):
    """Is a file of that number in the INBOX? Whoever renames files may hide them from a listing."""
    return any(letters_of(number) for _ in range(3))


class Client:
    """Acts on the messages whose number leaves this rest."""

    def __init__(self, rest, seed):
        self.rest, self.random = rest, random.Random(seed)
        self.session = Session("INBOX")
        # What was confirmed: [kind, number, beginning, end].
        self.acts, self.flags, self.waiting, self.left = [], [], [], []
        self.turn, self.appended, self.error = 0, 0, None

    def work(self):
        try:
            while not STOP.is_set():
                self.session.refresh()
                for _ in range(5):
                    self.act(ROUND[self.turn % len(ROUND)])
                    self.turn += 1
                    time.sleep(PAUSE)
            self.finish()
        except Exception as error:  # Told to whoever started us.
            self.error = f"client {self.rest}: {error!r}"

    def done(self, *kinds):
        return {number for kind, number, _, _ in self.acts if kind in kinds}

    def pick(self, kind):
        touched = self.done("move", "expunge") | (self.done("copy") if kind == "copy" else set())
        shown = list(self.session.numbers.values())
        # While a message is replaced it is there twice for a moment. Whoever moved the new one would have both afterwards.
        mine = [uid for uid, number in self.session.numbers.items()
                if number % 2 == self.rest and number not in touched and shown.count(number) == 1
                and (kind != "expunge" or number < 2000000)]
        return self.random.choice(mine) if mine else None

    def act(self, kind):
        began = time.time()
        if kind == "append":
            number = self.append()
        else:
            uid = self.pick(kind)
            if uid is None:
                return
            number = self.session.numbers[uid]
            if not getattr(self, kind)(uid, number):
                return
        self.acts.append([kind, number, began, time.time()])

    def flag(self, uid, number):
        return self.set_flag(uid, number, self.random.choice(list(LETTERS)[:4]))

    def keyword(self, uid, number):
        return self.set_flag(uid, number, self.random.choice(KEYWORDS))

    def move(self, uid, number):
        return copied(*self.session.command(f"UID MOVE {uid} Archive"))

    def copy(self, uid, number):
        return copied(*self.session.command(f"UID COPY {uid} Copies"))

    def expunge(self, uid, number):
        if not self.set_flag(uid, number, "\\Deleted") or uid in self.session.gone:
            return False
        lines, _ = self.session.ok(f"UID EXPUNGE {uid}")
        named = any(uid in uids_in(line.decode("latin-1"), "VANISHED") for line in lines)
        if named and is_there(number):
            self.left.append(number)
        return named

    def set_flag(self, uid, number, flag):
        """Is the flag on the disk?"""
        self.session.ok(f"UID STORE {uid} +FLAGS ({flag})")
        letter = letter_of(flag)
        if letter and any(letter in letters for letters in letters_of(number)):
            self.flags.append((number, flag))
            return True
        # Then the message is gone under that UID, and the session must come to know of it.
        self.waiting.append((uid, number, flag))
        return False

    def append(self):
        number = 2000000 + 2 * self.appended + self.rest
        mail = f"From: a@south.example\r\nSubject: Letter {number}\r\n\r\nappended {number}\r\n".encode()
        self.session.ok(f"APPEND INBOX (\\Seen Work) {{{len(mail)}}}", mail)
        self.appended += 1
        return number

    def finish(self):
        time.sleep(1.1)
        self.session.refresh()
        for uid, number, flag in self.waiting:
            if uid not in self.session.gone:
                self.flags.append((number, flag))
        self.session.leave()


class Idler:
    """A session that only listens, as a client in the background does."""

    def __init__(self):
        self.session, self.told, self.error = Session("INBOX"), 0, None

    def work(self):
        try:
            session = self.session
            while not STOP.is_set():
                session.tag += 1
                tag = b"t%d " % session.tag
                session.socket.sendall(tag + b"IDLE\r\n")
                assert session.line().startswith(b"+")
                session.socket.settimeout(0.5)
                try:
                    while not STOP.is_set():
                        session.see(session.line())
                except TimeoutError:
                    pass
                session.socket.settimeout(120)
                session.socket.sendall(b"DONE\r\n")
                while True:
                    line = session.line()
                    if line.startswith(tag):
                        assert line[len(tag):].startswith(b"OK"), line
                        break
                    session.see(line)
            # What it was not told yet, because the server is busy, it is told now.
            session.ok("NOOP")
            self.told = len(session.gone)
            session.leave()
        except Exception as error:
            self.error = f"the one that listens: {error!r}"


def main():
    clients, idler = [Client(0, 1), Client(1, 2)], Idler()
    threads = [threading.Thread(target=one.work) for one in [*clients, idler]]
    for thread in threads:
        thread.start()
    print("ready", flush=True)
    sys.stdin.read()
    STOP.set()
    for thread in threads:
        thread.join()
    errors = [one.error for one in [*clients, idler] if one.error]
    if errors:
        sys.exit("\n".join(errors))
    together = {name: sum((getattr(client, name) for client in clients), []) for name in ["acts", "flags", "left"]}
    together["told"] = idler.told
    print(json.dumps(together))


main()
