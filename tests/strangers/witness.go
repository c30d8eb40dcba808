// A witness of our log, as c2sp.org/tlog-witness describes one: Go's HTTP server, and its checksum
// database's readers of notes and proofs. It keeps what it saw in memory, and ends with its input.
//
// Takes the log's key and what is to be wrong with it ("", "forge", "refuse", "stuck") as lines of
// input; prints its address and its own key.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const name = "witness.example/w1"

type witness struct {
	log    note.Verifier
	wrong  string
	secret ed25519.PrivateKey
	id     []byte
	seen   tlog.Tree
}

func main() {
	input := bufio.NewReader(os.Stdin)
	line := func() string {
		text, err := input.ReadString('\n')
		check(err)
		return strings.TrimSuffix(text, "\n")
	}
	log, err := note.NewVerifier(line())
	check(err)
	w := &witness{log: log, wrong: line()}
	w.secret = ed25519.NewKeyFromSeed([]byte("a witness has a key of 32 bytes.")[:32])
	public := append([]byte{4}, w.secret.Public().(ed25519.PublicKey)...)
	digest := sha256.Sum256(append([]byte(name+"\n"), public...))
	w.id = digest[:4]
	vkey := fmt.Sprintf("%s+%x+%s", name, w.id, base64.StdEncoding.EncodeToString(public))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		io.Copy(io.Discard, input)
		os.Exit(0)
	}()
	said := map[string]string{"address": listener.Addr().String(), "vkey": vkey}
	check(json.NewEncoder(os.Stdout).Encode(said))
	check(http.Serve(listener, w))
}

func (w *witness) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil || request.Method != "POST" || request.URL.Path != "/w/add-checkpoint" {
		http.Error(answer, "not here", 404)
		return
	}
	head, text, _ := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	var old int64
	if _, err := fmt.Sscanf(lines[0], "old %d", &old); err != nil {
		http.Error(answer, "no old size", 400)
		return
	}
	opened, err := note.Open([]byte(text), note.VerifierList(w.log))
	if err != nil {
		http.Error(answer, err.Error(), 403)
		return
	}
	_, rest, _ := strings.Cut(opened.Text, "\n")
	tree, err := tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	if err != nil || old > tree.N {
		http.Error(answer, "no tree", 400)
		return
	}
	if w.wrong == "refuse" {
		http.Error(answer, "this log is not welcome", 403)
		return
	}
	if old != w.seen.N || w.wrong == "stuck" {
		answer.Header().Set("Content-Type", "text/x.tlog.size")
		answer.WriteHeader(409)
		if w.wrong == "stuck" {
			w.seen.N++
		}
		fmt.Fprintf(answer, "%d\n", w.seen.N)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(answer, err.Error(), 400)
			return
		}
		proof = append(proof, hash)
	}
	if old > 0 {
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, w.seen.Hash); err != nil {
			http.Error(answer, err.Error(), 422)
			return
		}
	}
	w.seen = tree
	now := uint64(time.Now().Unix())
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", now, opened.Text)
	if w.wrong == "forge" {
		message += "another"
	}
	signed := binary.BigEndian.AppendUint64(append([]byte{}, w.id...), now)
	signed = append(signed, ed25519.Sign(w.secret, []byte(message))...)
	fmt.Fprintf(answer, "— %s %s\n", name, base64.StdEncoding.EncodeToString(signed))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
