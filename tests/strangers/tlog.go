// Go's checksum database client reads our log from its folder: it opens the checkpoint, and makes
// and checks every proof from the tiles by itself.
//
// Reads {"folder", "vkey", "old": checkpoint, "entries": [base64]} and prints what it found.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Folder  string
	Vkey    string
	Old     string
	Entries [][]byte
}

type answer struct {
	Size       int64
	Included   int
	Refused    int
	Consistent bool
	Error      string
}

func main() {
	var asked question
	check(json.NewDecoder(os.Stdin).Decode(&asked))
	var said answer
	if err := said.read(asked); err != nil {
		said.Error = err.Error()
	}
	check(json.NewEncoder(os.Stdout).Encode(said))
}

func (said *answer) read(asked question) error {
	newest, err := os.ReadFile(filepath.Join(asked.Folder, "checkpoint"))
	check(err)
	tree, err := open(string(newest), asked.Vkey)
	if err != nil {
		return err
	}
	said.Size = tree.N
	hashes := tlog.TileHashReader(tree, folder(asked.Folder))
	for place, entry := range asked.Entries {
		proof, err := tlog.ProveRecord(tree.N, int64(place), hashes)
		if err != nil {
			return err
		}
		leaf := tlog.RecordHash(entry)
		if tlog.CheckRecord(proof, tree.N, tree.Hash, int64(place), leaf) == nil {
			said.Included++
		}
		other := tlog.RecordHash(append(bytes.Clone(entry), ' '))
		if tlog.CheckRecord(proof, tree.N, tree.Hash, int64(place), other) != nil {
			said.Refused++
		}
	}
	if err := bundled(asked); err != nil {
		return err
	}
	old, err := open(asked.Old, asked.Vkey)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	if err != nil {
		return err
	}
	said.Consistent = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash) == nil
	return nil
}

// The checkpoint's text is that of x/mod but for its first line, which names the log.
func open(text, vkey string) (tree tlog.Tree, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	_, rest, _ := strings.Cut(opened.Text, "\n")
	return tlog.ParseTree([]byte("go.sum database tree\n" + rest))
}

// The entries in the folder are those asked about.
func bundled(asked question) error {
	for at := 0; at < len(asked.Entries); at += 256 {
		count := min(256, len(asked.Entries)-at)
		tile := tlog.Tile{H: 8, L: -1, N: int64(at / 256), W: count}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(asked.Folder, path))
		if err != nil {
			return err
		}
		for _, entry := range asked.Entries[at : at+count] {
			if len(bundle) < 2 {
				return fmt.Errorf("%s is too short", path)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			bundle = bundle[2:]
			if len(bundle) < length || !bytes.Equal(bundle[:length], entry) {
				return fmt.Errorf("%s holds another entry", path)
			}
			bundle = bundle[length:]
		}
	}
	return nil
}

// Tiles by the names of C2SP, which leave out the height that is always eight.
type folder string

func (folder) Height() int                           { return 8 }
func (folder) SaveTiles(tiles []tlog.Tile, _ [][]byte) {}

func (root folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(root), path))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
