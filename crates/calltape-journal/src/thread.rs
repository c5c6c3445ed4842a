//! The drain's thread in the background, made with the system's own calls.
//!
//! The standard library's way to make one takes memory from the system's allocator, whatever the program's own is, and ends
//! the process where there is none; here that is an error like another. What the C library takes for a thread is its own.

use std::any::Any;
use std::ffi::{CStr, c_void};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// What a thread runs.
type Body = Box<dyn FnOnce() + Send>;

/// A thread that runs. Dropping it leaves the thread to itself.
#[derive(Debug)]
pub struct BackgroundThread {
    id: libc::pthread_t,
}

impl BackgroundThread {
    /// Runs `body` in a new thread with a stack of this many bytes, and every signal blocked: they are the program's
    /// threads' to take. A name is of 15 bytes at most. A panic ends the thread alone.
    ///
    /// # Errors
    /// When the system has no thread or no memory to give; `body` is dropped.
    pub fn spawn(name: &'static CStr, stack_bytes: usize, body: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let body: Box<Body> = Box::new(Box::new(move || {
            // SAFETY: the name ends with a nul byte; the call changes this thread's name alone.
            unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
            body();
        }));
        let body = Box::into_raw(body);
        let made = with_signals_blocked(|| match create(stack_bytes, body) {
            // The thread-local storage of the program's libraries is part of a stack, and may alone be larger.
            Err(fault) if fault.raw_os_error() == Some(libc::EINVAL) => create(0, body),
            made => made,
        });
        if made.is_err() {
            // SAFETY: it came from `into_raw` above, and no thread was made to take it.
            drop(unsafe { Box::from_raw(body) });
        }
        made.map(|id| Self { id })
    }

    /// Waits for the thread's end.
    pub fn join(self) {
        // SAFETY: the thread was made joinable, and is neither joined nor detached: `self` is consumed here.
        unsafe { libc::pthread_join(self.id, ptr::null_mut()) };
        std::mem::forget(self);
    }
}

impl Drop for BackgroundThread {
    fn drop(&mut self) {
        // SAFETY: as in `join`, which forgets `self`.
        unsafe { libc::pthread_detach(self.id) };
    }
}

/// Makes a thread with a stack of this many bytes, or of the system's choice for 0.
fn create(stack_bytes: usize, body: *mut Body) -> io::Result<libc::pthread_t> {
    // SAFETY: the attributes are initialised before they are used and destroyed once; `body` is handed to the one thread
    // that is made, and to none where there is an error.
    unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        match libc::pthread_attr_init(&raw mut attributes) {
            0 => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
        let mut error = 0;
        if stack_bytes > 0 {
            error = libc::pthread_attr_setstacksize(&raw mut attributes, stack_bytes);
        }
        let mut id = std::mem::zeroed::<libc::pthread_t>();
        if error == 0 {
            error = libc::pthread_create(&raw mut id, &raw const attributes, run, body.cast());
        }
        libc::pthread_attr_destroy(&raw mut attributes);
        if error == 0 { Ok(id) } else { Err(io::Error::from_raw_os_error(error)) }
    }
}

extern "C" fn run(body: *mut c_void) -> *mut c_void {
    // SAFETY: `create` was given it by `spawn`, which gave it up.
    let body = unsafe { Box::from_raw(body.cast::<Body>()) };
    let ended: Result<(), Box<dyn Any + Send>> = catch_unwind(AssertUnwindSafe(body));
    // The panic's own value may panic in its turn when it is dropped.
    std::mem::forget(ended);
    ptr::null_mut()
}

/// Runs `body` with every signal blocked on this thread, which a thread that it starts inherits.
fn with_signals_blocked<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: both sets are initialised before they are read, and the mask is the calling thread's own.
    unsafe {
        let mut all = std::mem::zeroed::<libc::sigset_t>();
        let mut before = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let value = body();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        value
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_runs_by_its_name_with_signals_blocked_and_is_waited_for() {
        let (send, told) = mpsc::channel();
        let thread = BackgroundThread::spawn(c"in-the-back", 256 << 10, move || {
            let status = fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
            send.send((line("Name:"), line("SigBlk:"))).unwrap();
        })
        .unwrap();
        thread.join();
        let (name, blocked) = told.recv().unwrap();
        assert_eq!(name, "in-the-back");
        // All but the two that cannot be blocked, and the C library's own two.
        let blocked = u64::from_str_radix(&blocked, 16).unwrap();
        assert_eq!(blocked & 0x7fff_ffff & !(1 << 8 | 1 << 18), 0x7fff_ffff & !(1 << 8 | 1 << 18));
        let own = fs::read_to_string("/proc/thread-self/status").unwrap();
        assert!(!own.contains(&format!("SigBlk:\t{blocked:016x}")), "this thread's are as before");
    }

    #[test]
    fn a_stack_too_small_for_a_thread_is_of_the_systems_choice() {
        let (send, told) = mpsc::channel();
        BackgroundThread::spawn(c"small", 1, move || send.send(7).unwrap()).unwrap().join();
        assert_eq!(told.recv(), Ok(7));
    }

    #[test]
    fn a_body_without_a_thread_is_dropped() {
        let (send, told) = mpsc::channel::<()>();
        let thread = BackgroundThread::spawn(c"no-room", 1 << 60, move || drop(send));
        assert_eq!(thread.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert!(told.recv().is_err());
    }

    #[test]
    fn a_panic_ends_the_thread_alone() {
        let thread = BackgroundThread::spawn(c"panics", 256 << 10, || panic!("of its own")).unwrap();
        thread.join();
    }

    #[test]
    fn a_join_waits_for_the_end() {
        let ended = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&ended);
        let body = move || {
            thread::sleep(Duration::from_millis(50));
            of_thread.store(true, Ordering::Relaxed);
        };
        BackgroundThread::spawn(c"takes-time", 256 << 10, body).unwrap().join();
        assert!(ended.load(Ordering::Relaxed));
    }

    #[test]
    fn one_that_is_dropped_gives_its_stack_back() {
        let address_space = || {
            let pages = fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').next().unwrap().parse::<usize>().unwrap() * 4096
        };
        let before = address_space();
        for _ in 0..100 {
            let (send, told) = mpsc::channel();
            drop(BackgroundThread::spawn(c"of-a-gigabyte", 1 << 30, move || send.send(7).unwrap()).unwrap());
            assert_eq!(told.recv(), Ok(7));
        }
        assert!(address_space() < before + (50 << 30), "most of a hundred stacks of a gigabyte are still there");
    }

    #[test]
    fn one_that_is_dropped_goes_on() {
        let (send, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let thread = BackgroundThread::spawn(c"alone", 256 << 10, move || {
            gone.recv().unwrap_err();
            send.send(7).unwrap();
        });
        drop(thread.unwrap());
        drop(go);
        assert_eq!(told.recv(), Ok(7));
    }
}
