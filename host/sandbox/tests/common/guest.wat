;; A strategy written by hand. Words in braces are filled in by `Guest::wat`.
(component
  (import "sti:host/types@{host}" (instance $types
    (type $kinds (enum "invalid" "not-found" "denied" "unavailable" "exhausted" "cancelled" "internal"))
    (export "problem-kind" (type $kind (eq $kinds)))
    (type $fields (record (field "kind" $kind) (field "code" string) (field "message" string) (field "hint" (option string))))
    (export "problem" (type (eq $fields)))))
  (alias export $types "problem" (type $problem))

  (import "sti:host/log@{host}" (instance $log
    (type $levels (enum "debug" "info" "warning"))
    (export "level" (type $level (eq $levels)))
    (export "message" (func (param "level" $level) (param "text" string)))))

  (import "sti:host/images@{host}" (instance $images
    (export "image" (type (sub resource)))))
  (alias export $images "image" (type $image))

  (import "sti:host/requests@{host}" (instance $requests
    (export "job" (type (sub resource)))
    (export "card" (type $card (sub resource)))
    (export "[method]card.name" (func (param "self" (borrow $card)) (param "name" string)))))
  (alias export $requests "job" (type $job))
  (alias export $requests "card" (type $card))

  (import "sti:host/plans@{host}" (instance $plans
    (alias outer 1 $image (type $image-there))
    (export "image" (type $image (eq $image-there)))
    (alias outer 1 $problem (type $problem-there))
    (export "problem" (type $problem (eq $problem-there)))
    (export "plan" (type $plan (sub resource)))
    (export "content" (type $content (sub resource)))
    (export "assembly" (type $assembly (sub resource)))
    (export "made" (type $made (sub resource)))
    (type $bases (variant (case "image" (borrow $image)) (case "made" (borrow $made)) (case "scratch")))
    (export "base" (type $base (eq $bases)))
    (export "[method]plan.source" (func (param "self" (borrow $plan)) (result (own $content))))
    (export "[method]plan.assemble" (func (param "self" (borrow $plan)) (param "title" string) (param "on" $base)
      (result (result (own $assembly) (error $problem)))))
    (export "[method]assembly.finish" (func (param "self" (borrow $assembly)) (result (own $made))))
    (export "[method]made.label" (func (param "self" (borrow $made)) (param "name" string) (param "value" string)))
    (export "[method]plan.product" (func (param "self" (borrow $plan)) (param "name" string) (param "image" (borrow $made))
      (result (result (error $problem)))))))
  (alias export $plans "plan" (type $plan))
  {imports}

  (core module $libc
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      global.get $next
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))

  (core func $name (canon lower (func $requests "[method]card.name") (memory (core memory $memory))))
  (core func $message (canon lower (func $log "message") (memory (core memory $memory))))
  (core func $source (canon lower (func $plans "[method]plan.source")))
  (core func $assemble (canon lower (func $plans "[method]plan.assemble") (memory (core memory $memory)) (realloc (core func $realloc))))
  (core func $finish (canon lower (func $plans "[method]assembly.finish")))
  (core func $label (canon lower (func $plans "[method]made.label") (memory (core memory $memory))))
  (core func $product (canon lower (func $plans "[method]plan.product") (memory (core memory $memory)) (realloc (core func $realloc))))
  (core func $drop-card (canon resource.drop $card))
  (core func $drop-job (canon resource.drop $job))
  (core func $drop-plan (canon resource.drop $plan))

  (core module $main
    (import "libc" "memory" (memory 2))
    (import "host" "name" (func $name (param i32 i32 i32)))
    (import "host" "message" (func $message (param i32 i32 i32)))
    (import "host" "source" (func $source (param i32) (result i32)))
    (import "host" "assemble" (func $assemble (param i32 i32 i32 i32 i32 i32)))
    (import "host" "finish" (func $finish (param i32) (result i32)))
    (import "host" "label" (func $label (param i32 i32 i32 i32 i32)))
    (import "host" "product" (func $product (param i32 i32 i32 i32 i32)))
    (import "host" "drop-card" (func $drop-card (param i32)))
    (import "host" "drop-job" (func $drop-job (param i32)))
    (import "host" "drop-plan" (func $drop-plan (param i32)))
    (data (i32.const 1024) "test")
    (data (i32.const 1040) "app")
    (data (i32.const 1056) "\1b[31mred")
    (data (i32.const 1072) "a\00b")
    {core}
    ;; Assembles an image out of nothing and declares it as the product. Answers of the host are written to 512.
    (func $plan-something (param $plan i32)
      (local $made i32)
      (call $assemble (local.get $plan) (i32.const 1056) (i32.const 8) (i32.const 2) (i32.const 0) (i32.const 512))
      (local.set $made (call $finish (i32.load (i32.const 516))))
      (call $label (local.get $made) (i32.const 1024) (i32.const 4) (i32.const 1040) (i32.const 3))
      (call $product (local.get $plan) (i32.const 1040) (i32.const 3) (local.get $made) (i32.const 512)))
    (func (export "describe") (param $card i32)
      {describe}
      (call $drop-card (local.get $card)))
    (func (export "decide") (param $job i32) (param $plan i32) (result i32)
      {decide}
      (call $drop-job (local.get $job))
      (call $drop-plan (local.get $plan))))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "name" (func $name))
      (export "message" (func $message))
      (export "source" (func $source))
      (export "assemble" (func $assemble))
      (export "finish" (func $finish))
      (export "label" (func $label))
      (export "product" (func $product))
      (export "drop-card" (func $drop-card))
      (export "drop-job" (func $drop-job))
      (export "drop-plan" (func $drop-plan))))))

  (alias core export $main "describe" (core func $main-describe))
  (alias core export $main "decide" (core func $main-decide))
  (func $describe (param "card" (borrow $card)) (canon lift (core func $main-describe)))
  (func $decide (param "job" (borrow $job)) (param "plan" (borrow $plan)) (result (result (error $problem)))
    (canon lift (core func $main-decide) (memory (core memory $memory)) (realloc (core func $realloc))))
  (instance $strategy
    (export "describe" (func $describe))
    (export "decide" (func $decide)))
  (export "sti:plugin/strategy@{plugin}" (instance $strategy)))
