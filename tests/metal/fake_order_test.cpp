// What may run at the same time, what a kernel may reach, and when the host hears of it: encoders, barriers, residency,
// events.
#include "metal/host_for_tests.h"

namespace {

using fake_metal::report;
using fake_metal::settings;

constexpr UInteger serial = 0, concurrent = 1;  // MTLDispatchType

class Order : public Host {
 protected:
  void settings_before() override { settings().build = metal_emulator::Build::checked; }

  // a → b, `between`, b → c. What the second finds of the first's writes: ordered, or a race.
  template <class Between>
  std::string two_dispatches(UInteger type, Between between) {
    const Id a = buffer(128), b = buffer(128), c = buffer(128), made = pipeline("scale");
    begin(type);
    use(made);
    scale(a, b, 2);
    between(b, c);
    use(made);
    scale(b, c, 2);
    const bool is_done = finish() == completed;
    EXPECT_EQ(is_done, report().findings.empty());
    return is_done ? "" : report().findings.back();
  }
  void barrier_of(Id object) {
    send<void(const Id*, UInteger)>(encoder, "memoryBarrierWithResources:count:", &object, 1UL);
  }
};

TEST_F(Order, IsKeptBySerialEncoders) {
  EXPECT_EQ(two_dispatches(serial, [](Id, Id) {}), "");
}

TEST_F(Order, IsMissingInConcurrentOnes) {
  EXPECT_CONTAINS(two_dispatches(concurrent, [](Id, Id) {}), "kernel scale: read unordered after a write");
}

TEST_F(Order, IsMadeByABarrierOfBuffers) {
  constexpr UInteger buffers = 1;
  EXPECT_EQ(
      two_dispatches(concurrent, [&](Id, Id) { send<void(UInteger)>(encoder, "memoryBarrierWithScope:", buffers); }),
      "");
}

TEST_F(Order, IsNotMadeByABarrierOfTextures) {
  constexpr UInteger textures = 2;
  EXPECT_CONTAINS(
      two_dispatches(concurrent, [&](Id, Id) { send<void(UInteger)>(encoder, "memoryBarrierWithScope:", textures); }),
      "unordered");
}

TEST_F(Order, IsMadeByABarrierOfThisBuffer) {
  EXPECT_EQ(two_dispatches(concurrent, [&](Id b, Id) { barrier_of(b); }), "");
}

TEST_F(Order, IsNotMadeByABarrierOfAnother) {
  EXPECT_CONTAINS(two_dispatches(concurrent, [&](Id, Id c) { barrier_of(c); }), "unordered");
}

TEST_F(Order, IsMadeByAnEncodersEnd) {
  EXPECT_EQ(two_dispatches(concurrent,
                           [&](Id, Id) {
                             end();
                             encoder =
                                 send<Id(UInteger)>(commands, "computeCommandEncoderWithDispatchType:", concurrent);
                           }),
            "");
}

// ---- what is reached by address ----

class Reach : public Order {
 protected:
  template <class Before>
  std::string follow(Before before) {
    const Id in = buffer(128), out = buffer(128);
    begin();
    before(in);
    use(pipeline("follow"));
    const UInteger address = send<UInteger()>(in, "gpuAddress");
    bytes(&address, sizeof address, 0);
    bind(out, 0, 1);
    dispatch(1, 32);
    return finish() == completed ? "" : report().findings.back();
  }
  Id residency_set(Id in) {
    const Id descriptor = send<Id()>(objc_getClass("MTLResidencySetDescriptor"), "new");
    Id error = nullptr;
    const Id set = send<Id(Id, Id*)>(device, "newResidencySetWithDescriptor:error:", descriptor, &error);
    release(descriptor);
    owned.insert(owned.begin(), set);
    send<void(Id)>(set, "addAllocation:", in);
    return set;
  }
};

TEST_F(Reach, EndsWhereNothingWasMadeResident) {
  EXPECT_CONTAINS(follow([](Id) {}), "kernel follow: read outside of every buffer");
}

TEST_F(Reach, HasWhatIsUsed) {
  constexpr UInteger read = 1;
  EXPECT_EQ(follow([&](Id in) { send<void(Id, UInteger)>(encoder, "useResource:usage:", in, read); }), "");
}

TEST_F(Reach, HasWhatASetOfTheQueueHas) {
  EXPECT_EQ(follow([&](Id in) {
              const Id set = residency_set(in);
              send<void()>(set, "commit");
              send<void(Id)>(queue, "addResidencySet:", set);
            }),
            "");
}

TEST_F(Reach, HasNotWhatASetWasGivenButNotCommitted) {
  EXPECT_CONTAINS(follow([&](Id in) { send<void(Id)>(commands, "useResidencySet:", residency_set(in)); }), "outside");
}

TEST_F(Reach, HasNotWhatOnlyStaysInMemory) {
  EXPECT_CONTAINS(follow([&](Id in) {
                    const Id set = residency_set(in);
                    send<void()>(set, "commit");
                    send<void()>(set, "requestResidency");
                    EXPECT_EQ(fake_metal::kept_bytes(), 128u);
                  }),
                  "outside");
}

// ---- when the host hears of it ----

TEST_F(Order, EndsWorkWhenTheHostAsksOftenEnough) {
  begin();
  end();
  commit();
  int asked = 0;
  while (send<UInteger()>(commands, "status") != completed) ASSERT_LT(++asked, 100);
  EXPECT_GT(asked, 0);
}

TEST_F(Order, WaitingForTheLastEndsAllBeforeIt) {
  begin();
  end();
  commit();
  const Id first = commands;
  begin();
  EXPECT_EQ(finish(), completed);
  EXPECT_EQ(send<UInteger()>(first, "status"), completed);
}

TEST_F(Order, TwoCommandBuffersMayUseTheSameMemory) {
  const Id a = buffer(128), b = buffer(128), c = buffer(128), made = pipeline("scale");
  floats(a)[31] = 5;
  const auto scale_in_its_own = [&](Id from, Id to) {
    begin();
    use(made);
    scale(from, to, 2);
    end();
    commit();
  };
  scale_in_its_own(a, b);
  scale_in_its_own(b, c);
  EXPECT_EQ(wait(), completed);
  EXPECT_EQ(floats(c)[31], 20);
}

TEST_F(Order, HasCommandBuffersThatNeverEnd) {
  settings().hang_command_buffer = 1;
  const Id event = send<Id()>(device, "newSharedEvent");
  owned.insert(owned.begin(), event);
  begin();
  end();
  send<void(Id, UInteger)>(commands, "encodeSignalEvent:value:", event, 1UL);
  commit();
  EXPECT_FALSE((send<bool(UInteger, UInteger)>(event, "waitUntilSignaledValue:timeoutMS:", 1UL, 1000UL)));
  EXPECT_EQ(report().waited_ms, 1000u);
  for (int i = 0; i < 100; ++i) EXPECT_LT(send<UInteger()>(commands, "status"), completed);
  EXPECT_THROW(wait(), fake_metal::Misuse) << "waitUntilCompleted would be for ever";
  fake_metal::reset();
  EXPECT_EQ(send<UInteger()>(commands, "status"), failed);
}

TEST_F(Order, SharedEventsTellTheHost) {
  const Id event = send<Id()>(device, "newSharedEvent");
  owned.insert(owned.begin(), event);
  begin();
  end();
  send<void(Id, UInteger)>(commands, "encodeSignalEvent:value:", event, 7UL);
  commit();
  EXPECT_EQ(send<UInteger()>(event, "signaledValue"), 0u);
  EXPECT_TRUE((send<bool(UInteger, UInteger)>(event, "waitUntilSignaledValue:timeoutMS:", 7UL, 1000UL)));
  EXPECT_EQ(send<UInteger()>(event, "signaledValue"), 7u);
  EXPECT_FALSE((send<bool(UInteger, UInteger)>(event, "waitUntilSignaledValue:timeoutMS:", 8UL, 1000UL)));
}

TEST_F(Order, AnEventThatNothingSignalsIsATimeout) {
  const Id event = send<Id()>(device, "newSharedEvent");
  owned.insert(owned.begin(), event);
  begin();
  end();
  send<void(Id, UInteger)>(commands, "encodeWaitForEvent:value:", event, 1UL);
  commit();
  EXPECT_EQ(wait(), failed);
  EXPECT_EQ(send<long()>(send<Id()>(commands, "error"), "code"), 2);
}

TEST_F(Order, HandlersAreCalledAtTheEnd) {
  struct Counter {  // what the compiler makes of ^{ … }
    void* isa;
    int flags, reserved;
    void (*invoke)(Counter*, Id);
    Id finished;
  } counter{nullptr, 0, 0, [](Counter* self, Id of) { self->finished = of; }, nullptr};
  begin();
  end();
  send<void(void*)>(commands, "addCompletedHandler:", static_cast<void*>(&counter));
  commit();
  EXPECT_EQ(counter.finished, nullptr);
  wait();
  EXPECT_EQ(counter.finished, commands);
}

}  // namespace
