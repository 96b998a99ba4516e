#!/usr/bin/env python3
"""Prove, without the bot, that one history has both of two signed heads.

    consistency.py EXPORT HEAD1 HEAD2 [PUBLIC-KEY]

EXPORT is what `bot audit export` wrote, HEAD1 and HEAD2 are heads as `bot audit
head` printed them. With the public key (dhbot+…) openssl verifies the signatures.
The tree is that of RFC 6962: leaf i is line i of the export.
"""
import base64, hashlib, json, subprocess, sys, tempfile

def head(path):
    text, _, signature = open(path, "rb").read().partition(b"\n\n")
    origin, size, root, epoch, entry = text.decode().split("\n")
    return origin, int(size), base64.b64decode(root), text + b"\n", base64.b64decode(signature.split()[2])

def root(leaves):  # the largest power of two below the size goes to the left
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()

def check_signature(key, text, signature):
    raw = base64.b64decode(key.split("+", 2)[2])[1:]
    files = [bytes.fromhex("302a300506032b6570032100") + raw, text, signature[4:]]
    names = [tempfile.NamedTemporaryFile() for _ in files]
    for name, data in zip(names, files):
        name.write(data), name.flush()
    return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", names[0].name,
                           "-in", names[1].name, "-sigfile", names[2].name], capture_output=True).returncode == 0

lines = open(sys.argv[1], "rb").read().split(b"\n")
if json.loads(lines[0])["after"] != 0:
    sys.exit("the export does not begin with the first entry")
leaves = [hashlib.sha256(b"\x00" + line).digest() for line in lines[1:-2]]
heads = [head(path) for path in sys.argv[2:4]]
if heads[0][0] != heads[1][0]:
    sys.exit("the heads are of two installations")
for path, (_, size, want, text, signature) in zip(sys.argv[2:4], heads):
    if len(sys.argv) > 4 and not check_signature(sys.argv[4], text, signature):
        sys.exit(path + ": the signature does not fit the key")
    if size > len(leaves) or root(leaves[:size]) != want:
        sys.exit(f"{path}: the first {size} entries of the export do not have this root")
print(f"consistent: {heads[0][1]} and {heads[1][1]} entries of {heads[0][0]}")
