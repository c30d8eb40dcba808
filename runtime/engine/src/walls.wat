;; A guest that tries three walls, in this order: it opens a file that it was given and one that it
;; was not, it asks a host that nobody allowed, and then it never ends. It reports nothing: what it
;; was refused stands in the journal of its run, which the host writes.
(component
  (import "wasi:filesystem/types@0.2.12" (instance $files
    (export "descriptor" (type $descriptor (sub resource)))
    (type $errors (enum
      "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist"
      "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
      "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device" "no-entry"
      "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
      "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe"
      "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (export "error-code" (type $error (eq $errors)))
    (type $ways (flags "symlink-follow"))
    (export "path-flags" (type $way (eq $ways)))
    (type $opens (flags "create" "directory" "exclusive" "truncate"))
    (export "open-flags" (type $open (eq $opens)))
    (type $uses (flags
      "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync"
      "mutate-directory"))
    (export "descriptor-flags" (type $use (eq $uses)))
    (export "[method]descriptor.open-at" (func
      (param "self" (borrow $descriptor)) (param "path-flags" $way) (param "path" string)
      (param "open-flags" $open) (param "flags" $use)
      (result (result (own $descriptor) (error $error)))))))
  (alias export $files "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.12" (instance $folders
    (export "descriptor" (type $held (eq $descriptor)))
    (export "get-directories" (func (result (list (tuple (own $held) string)))))))

  (import "wasi:http/types@0.2.12" (instance $http
    (export "fields" (type $fields (sub resource)))
    (export "outgoing-request" (type $request (sub resource)))
    (export "request-options" (type (sub resource)))
    (export "future-incoming-response" (type (sub resource)))
    (type $schemes (variant (case "HTTP") (case "HTTPS") (case "other" string)))
    (export "scheme" (type $scheme (eq $schemes)))
    (type $dns' (record (field "rcode" (option string)) (field "info-code" (option u16))))
    (export "DNS-error-payload" (type $dns (eq $dns')))
    (type $tls' (record
      (field "alert-id" (option u8)) (field "alert-message" (option string))))
    (export "TLS-alert-received-payload" (type $tls (eq $tls')))
    (type $size' (record
      (field "field-name" (option string)) (field "field-size" (option u32))))
    (export "field-size-payload" (type $size (eq $size')))
    (type $errors (variant
      (case "DNS-timeout") (case "DNS-error" $dns) (case "destination-not-found")
      (case "destination-unavailable") (case "destination-IP-prohibited")
      (case "destination-IP-unroutable") (case "connection-refused")
      (case "connection-terminated") (case "connection-timeout")
      (case "connection-read-timeout") (case "connection-write-timeout")
      (case "connection-limit-reached") (case "TLS-protocol-error")
      (case "TLS-certificate-error") (case "TLS-alert-received" $tls)
      (case "HTTP-request-denied") (case "HTTP-request-length-required")
      (case "HTTP-request-body-size" (option u64)) (case "HTTP-request-method-invalid")
      (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long")
      (case "HTTP-request-header-section-size" (option u32))
      (case "HTTP-request-header-size" (option $size))
      (case "HTTP-request-trailer-section-size" (option u32))
      (case "HTTP-request-trailer-size" $size) (case "HTTP-response-incomplete")
      (case "HTTP-response-header-section-size" (option u32))
      (case "HTTP-response-header-size" $size) (case "HTTP-response-body-size" (option u64))
      (case "HTTP-response-trailer-section-size" (option u32))
      (case "HTTP-response-trailer-size" $size)
      (case "HTTP-response-transfer-coding" (option string))
      (case "HTTP-response-content-coding" (option string)) (case "HTTP-response-timeout")
      (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected")
      (case "configuration-error") (case "internal-error" (option string))))
    (export "error-code" (type (eq $errors)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[constructor]outgoing-request" (func
      (param "headers" (own $fields)) (result (own $request))))
    (export "[method]outgoing-request.set-scheme" (func
      (param "self" (borrow $request)) (param "scheme" (option $scheme)) (result (result))))
    (export "[method]outgoing-request.set-authority" (func
      (param "self" (borrow $request)) (param "authority" (option string)) (result (result))))
    (export "[method]outgoing-request.set-path-with-query" (func
      (param "self" (borrow $request)) (param "path-with-query" (option string))
      (result (result))))))
  (alias export $http "outgoing-request" (type $request))
  (alias export $http "request-options" (type $options))
  (alias export $http "future-incoming-response" (type $future))
  (alias export $http "error-code" (type $error))
  (import "wasi:http/outgoing-handler@0.2.12" (instance $sender
    (export "outgoing-request" (type $request' (eq $request)))
    (export "request-options" (type $options' (eq $options)))
    (export "future-incoming-response" (type $future' (eq $future)))
    (export "error-code" (type $error' (eq $error)))
    (export "handle" (func
      (param "request" (own $request')) (param "options" (option (own $options')))
      (result (result (own $future') (error $error')))))))

  ;; What the host writes into: it asks for room, and never gives any back.
  (core module $room
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.sub (i32.add (global.get $free) (local.get 2)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get 2))))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $room (instantiate $room))
  (alias core export $room "memory" (core memory $memory))
  (alias core export $room "realloc" (core func $realloc))

  (core func $folders (canon lower (func $folders "get-directories")
    (memory $memory) (realloc $realloc)))
  (core func $open (canon lower (func $files "[method]descriptor.open-at")
    (memory $memory) (realloc $realloc)))
  (core func $fields (canon lower (func $http "[constructor]fields")))
  (core func $request (canon lower (func $http "[constructor]outgoing-request")))
  (core func $scheme (canon lower (func $http "[method]outgoing-request.set-scheme")
    (memory $memory)))
  (core func $authority (canon lower (func $http "[method]outgoing-request.set-authority")
    (memory $memory)))
  (core func $path (canon lower (func $http "[method]outgoing-request.set-path-with-query")
    (memory $memory)))
  (core func $handle (canon lower (func $sender "handle") (memory $memory) (realloc $realloc)))

  (core module $guest
    (import "host" "memory" (memory 1))
    (import "host" "folders" (func $folders (param i32)))
    (import "host" "open" (func $open (param i32 i32 i32 i32 i32 i32 i32)))
    (import "host" "fields" (func $fields (result i32)))
    (import "host" "request" (func $request (param i32) (result i32)))
    (import "host" "scheme" (func $scheme (param i32 i32 i32 i32 i32) (result i32)))
    (import "host" "authority" (func $authority (param i32 i32 i32 i32) (result i32)))
    (import "host" "path" (func $path (param i32 i32 i32 i32) (result i32)))
    (import "host" "handle" (func $handle (param i32 i32 i32 i32)))
    (data (i32.const 0) "open/a.txt")
    (data (i32.const 16) "shut/b.txt")
    (data (i32.const 32) "walls.example")
    (data (i32.const 48) "/")
    (func (export "run") (result i32)
      (local $folder i32) (local $request i32)
      ;; The first folder of the list that lies where the host says.
      (call $folders (i32.const 1024))
      (local.set $folder (i32.load (i32.load (i32.const 1024))))
      (call $open (local.get $folder)
        (i32.const 0) (i32.const 0) (i32.const 10) (i32.const 0) (i32.const 1) (i32.const 1040))
      (call $open (local.get $folder)
        (i32.const 0) (i32.const 16) (i32.const 10) (i32.const 0) (i32.const 1) (i32.const 1040))
      (local.set $request (call $request (call $fields)))
      (drop (call $scheme (local.get $request)
        (i32.const 1) (i32.const 1) (i32.const 0) (i32.const 0)))
      (drop (call $authority (local.get $request)
        (i32.const 1) (i32.const 32) (i32.const 13)))
      (drop (call $path (local.get $request) (i32.const 1) (i32.const 48) (i32.const 1)))
      (call $handle (local.get $request) (i32.const 0) (i32.const 0) (i32.const 1088))
      (loop $ever (br $ever))
      (unreachable)))
  (core instance $guest (instantiate $guest (with "host" (instance
    (export "memory" (memory $memory))
    (export "folders" (func $folders))
    (export "open" (func $open))
    (export "fields" (func $fields))
    (export "request" (func $request))
    (export "scheme" (func $scheme))
    (export "authority" (func $authority))
    (export "path" (func $path))
    (export "handle" (func $handle))))))
  (func $run (result (result)) (canon lift (core func $guest "run")))
  (instance $it (export "run" (func $run)))
  (export "wasi:cli/run@0.2.12" (instance $it)))
